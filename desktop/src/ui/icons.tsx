/** The few pictures that the pages need, drawn on a grid of 24; always beside a word or with a label. */
import type { ReactNode } from 'react'

const drawn = {
  work: (
    <path d="M4 13v-2a8 8 0 0 1 16 0v2M4 13h3v6H5a1 1 0 0 1-1-1zm16 0h-3v6h2a1 1 0 0 0 1-1zm-1 6c0 1.5-2 2.5-5 2.5" />
  ),
  day: <path d="M5 5h14v15H5zM5 9.5h14M9 3v4M15 3v4M8.5 13h3M8.5 16.5h6" />,
  customers: (
    <path d="M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.500-6s6 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2 .700 3.200 2.500 3.500 5.500" />
  ),
  wallboard: <path d="M3 4h8v7H3zM14 4h7v4h-7zM14 11h7v9h-7zM3 14h8v6H3z" />,
  floor: <path d="M4 5h5v4H4zM15 5h5v4h-5zM4 15h5v4H4zM15 15h5v4h-5zM9.500 7h5M9.500 17h5M12 10v4" />,
  queue: <path d="M5 6h14M5 12h10M5 18h6" />,
  alarms: <path d="M12 4 2.500 20h19zM12 10v4.500M12 17.300v.1" />,
  settings: <path d="M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5" />,
  audit: <path d="M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h5" />,
  search: <path d="M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.300 15.300 20 20" />,
  phone: (
    <path d="M6 3.500h3l1.500 4.500-2 1.500a11 11 0 0 0 6 6l1.500-2 4.500 1.500v3c0 1-1 2-2 2C10.500 20 4 13.500 4 5.500c0-1 1-2 2-2z" />
  ),
  hangUp: <path d="M3.500 15.500c0-5 17-5 17 0v1.500l-5-.700v-2.800c-2-.6-5-.6-7 0v2.800l-5 .700z" />,
  hold: <path d="M9 5v14M15 5v14" strokeWidth="3" />,
  play: <path d="M8 5v14l11-7z" />,
  pause: <path d="M9 5v14M15 5v14" />,
  mute: (
    <path d="M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.500a6 6 0 0 0 12 0M12 17.500V21M4 4l16 16" />
  ),
  mic: <path d="M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.500a6 6 0 0 0 12 0M12 17.500V21" />,
  transfer: <path d="M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4" />,
  keypad: <path d="M6 5h.1M12 5h.1M18 5h.1M6 11h.1M12 11h.1M18 11h.1M6 17h.1M12 17h.1M18 17h.1" strokeWidth="3.200" />,
  people: <path d="M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.5-4 3-6 7-6s6.500 2 7 6" />,
  note: <path d="M5 4h14v16H5zM8.500 9h7M8.500 13h7M8.500 17h4" />,
  plus: <path d="M12 5v14M5 12h14" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  check: <path d="m5 12.500 4.500 4.500L19 7" />,
  down: <path d="m6 9.500 6 6 6-6" />,
  right: <path d="m9.500 6 6 6-6 6" />,
  left: <path d="m14.500 6-6 6 6 6" />,
  up: <path d="m6 14.500 6-6 6 6" />,
  swap: <path d="M7 4v13M3 13l4 4 4-4M17 20V7M13 11l4-4 4 4" />,
  bell: <path d="M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500h-15zM10 21h4" />,
  listen: <path d="M4 12h3l4-4v9l-4-4H4zM15 9a4.500 4.500 0 0 1 0 6M17.500 6.500a8 8 0 0 1 0 11" />,
  download: <path d="M12 4v11M7.500 11l4.500 4.500 4.500-4.500M5 20h14" />,
  upload: <path d="M12 16V5M7.500 9 12 4.500 16.500 9M5 20h14" />,
  key: <path d="M8 15a4 4 0 1 1 3.500-6H21v4h-3v3h-3v-3h-3.500A4 4 0 0 1 8 15zM8 11h.1" />,
  user: <path d="M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.5-4 3-6 7-6s6.500 2 7 6" />,
  trash: <path d="M5 7h14M10 4h4M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5" />,
  edit: <path d="M5 19l1-4L16 5l3 3L9 18zM14 7l3 3" />,
  history: <path d="M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 4v4.500h4.500M12 8v4.500l3 2" />,
  message: <path d="M4 5h16v11h-9l-4.500 4v-4H4z" />,
  full: <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />,
  sun: (
    <path d="M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400" />
  ),
  help: <path d="M9 9.500a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 18v.1" />,
  link: (
    <path d="M10 14a4 4 0 0 0 5.600 0l3-3a4 4 0 0 0-5.600-5.600l-1 1M14 10a4 4 0 0 0-5.600 0l-3 3a4 4 0 0 0 5.600 5.600l1-1" />
  ),
  undo: <path d="M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-3" />,
  flow: <path d="M4 4.500h6v5H4zM14 3h6v5h-6zM14 16h6v5h-6zM10 7h2v12h2M12 6h2" />,
  drag: <path d="M9 6h.1M15 6h.1M9 12h.1M15 12h.1M9 18h.1M15 18h.1" strokeWidth="3" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof drawn

export function Icon({ name, size = 18, label }: { name: IconName; size?: number; label?: string }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      style={{ flex: 'none', display: 'block' }}
    >
      {drawn[name]}
    </svg>
  )
}
