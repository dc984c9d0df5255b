/** A picture for each node type, on a grid of 24; always beside its name. */
const drawn: Record<string, string> = {
  answer:
    'M6 3.500h3l1.500 4.500-2 1.500a11 11 0 0 0 6 6l1.500-2 4.500 1.500v3c0 1-1 2-2 2C10.500 20 4 13.500 4 5.500c0-1 1-2 2-2z',
  say: 'M4 5h16v11h-9l-4.500 4v-4H4z',
  play: 'M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z',
  menu: 'M6 5h.1M12 5h.1M18 5h.1M6 11h.1M12 11h.1M18 11h.1M6 17h.1M12 17h.1M18 17h.1',
  collect: 'M3 7h18v10H3zM7 11v2M11 11v2M15 11v2',
  survey: 'M5 4h14v16H5zM8 9l1.500 1.500L12 8M14 9.500h2M8 15l1.500 1.500L12 14M14 15.500h2',
  record: 'M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.500a6 6 0 0 0 12 0M12 17.500V21',
  set: 'M5 9h14M5 15h14',
  branch: 'M12 3l8 9-8 9-8-9zM12 8v5M12 16v.1',
  percentage: 'M6 18 18 6M7.500 9.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM16.500 18.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  hours: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  customer: 'M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.5-4 3-6 7-6s6.500 2 7 6',
  table: 'M4 5h16v14H4zM4 10h16M4 14.500h16M10 5v14',
  http: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c-5 5-5 13 0 18 5-5 5-13 0-18z',
  email: 'M3 6h18v12H3zM3 7l9 6.500L21 7',
  python: 'M9 8l-5 4 5 4M15 8l5 4-5 4',
  queue: 'M5 6h14M5 12h10M5 18h6',
  wait: 'M7 3h10M7 21h10M8 3c0 5 8 5 8 9s-8 4-8 9M16 3c0 5-8 5-8 9s8 4 8 9',
  callback:
    'M6 8.500h2.500l1.200 3.500-1.700 1.300a9 9 0 0 0 5 4.700l1.300-1.700 3.700 1.200V20c0 .6-.7 1-1.500 1C9 21 4.500 15.500 4.500 10c0-.8.700-1.500 1.500-1.500zM20 9h-7M16 5l-4 4 4 4',
  voicemail:
    'M7 16a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM17 16a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM7 16h10',
  slots: 'M4 6h16v14H4zM4 10.500h16M8.500 3.500V8M15.500 3.500V8M8 14h3M8 17h6',
  number: 'M9 4 7 20M17 4l-2 16M4.500 9h16M3.500 15h16',
  transfer: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4',
  flow: 'M4 4.500h6v5H4zM14 3h6v5h-6zM14 16h6v5h-6zM10 7h2v12h2M12 6h2',
  return: 'M8 5 4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-3',
  hang_up: 'M3.500 15.500c0-5 17-5 17 0v1.500l-5-.700v-2.800c-2-.6-5-.6-7 0v2.800l-5 .700z',
}

export function NodeIcon({ type, size = 16 }: { type: string; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={type === 'menu' ? 3.2 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flex: 'none', display: 'block' }}
    >
      <path d={drawn[type] ?? 'M12 17v.1M9.500 9a2.500 2.500 0 1 1 3.500 2.300c-.7.4-1 .9-1 1.700'} />
    </svg>
  )
}
