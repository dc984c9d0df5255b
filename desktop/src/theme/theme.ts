import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core'

const t = (text: string) => text.split(' ').map((one) => `#${one}`) as unknown as MantineColorsTuple

const OURS = new Set(['tide', 'sky', 'amber', 'iris', 'red', 'gray'])

// Mantine reckons the text on a fill for one scheme only; ours are made so that one ink serves each scheme.
const variants: VariantColorsResolver = (input) => {
  const made = defaultVariantColorsResolver(input)
  const color = input.color ?? 'tide'
  if (!OURS.has(color)) return made
  if (input.variant === 'filled') return { ...made, color: 'var(--ink)', hoverColor: 'var(--ink)' }
  if (input.variant === 'light') {
    return {
      background: `var(--${color}-fill)`,
      hover: `var(--${color}-line)`,
      color: `var(--${color}-text)`,
      border: 'none',
    }
  }
  if (input.variant === 'outline' || input.variant === 'subtle') return { ...made, color: `var(--${color}-text)` }
  return made
}

export const theme = createTheme({
  primaryColor: 'tide',
  primaryShade: { light: 6, dark: 3 },
  autoContrast: true,
  variantColorResolver: variants,
  luminanceThreshold: 0.3,
  black: '#1B211F',
  defaultRadius: 6,
  colors: {
    tide: t('DDF1ED B7E3DB 8FD6C9 4FC3B1 3CA999 298F81 0B6E63 115C53 134B43 12352F'),
    sky: t('E3EDFA C5DDFC A8CCFE 82B4FF 649AE7 4780CF 1B5FB0 1E5090 1E4171 1B2E4A'),
    amber: t('FBEBD0 F8DBAF F5CB8C F2B45A D29542 B3782A 8A5200 724704 5A3B09 3E2C0C'),
    iris: t('EEE6F8 E2D3F7 D5BFF6 C3A6F5 A88ADC 8E6EC3 6C4AA3 5A3F87 49346D 33264B'),
    red: t('FBE3E1 FFC9C4 FEB0A9 FF8A80 E86E63 D25147 B3261E 912721 6F2521 45201D'),
    gray: t('F5F6F3 ECEEE9 E1E5DF D3D8D2 A5AEA9 7E8984 56605C 434B48 2E3532 1B211F'),
    dark: t('E6EAE7 CBD2CE A3ADA8 9AA49F 75807B 2F363B 252B2F 1C2124 14181A 101315'),
  },
  fontFamily: 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '17px', xl: '22px' },
  lineHeights: { xs: '1.35', sm: '1.4', md: '1.45', lg: '1.4', xl: '1.3' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '22px', lineHeight: '1.3' },
      h2: { fontSize: '17px', lineHeight: '1.4' },
      h3: { fontSize: '14px', lineHeight: '1.45' },
    },
  },
  focusRing: 'auto',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 400, transitionProps: { duration: 0 } } },
    Menu: { defaultProps: { transitionProps: { duration: 0 }, shadow: 'md' } },
    Popover: { defaultProps: { transitionProps: { duration: 0 }, shadow: 'md' } },
    // Their headers would count as a second banner of the page.
    Modal: {
      defaultProps: {
        transitionProps: { duration: 0 },
        centered: true,
        attributes: { header: { role: 'presentation' } },
      },
    },
    Drawer: { defaultProps: { transitionProps: { duration: 0 }, attributes: { header: { role: 'presentation' } } } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right' } },
  },
})

/** Mantine's defaults fail WCAG in places; and the names that our own styles use, so that both schemes have one rule. */
export const variables: CSSVariablesResolver = (made) => {
  const c = made.colors
  const scheme = (dark: boolean) => {
    const text = dark ? 3 : 6
    const fill = dark ? 9 : 0
    const states = Object.fromEntries(
      ['tide', 'sky', 'amber', 'iris', 'red'].flatMap((name) => [
        [`--${name}-text`, c[name]![text]!],
        [`--${name}-fill`, c[name]![fill]!],
        [`--${name}-line`, c[name]![dark ? 7 : 3]!],
      ]),
    )
    return {
      ...states,
      '--mantine-color-error': c.red![text]!,
      '--mantine-color-success': c.tide![text]!,
      '--mantine-color-placeholder': dark ? c.dark![3]! : c.gray![6]!,
      '--mantine-color-disabled-color': dark ? c.dark![3]! : c.gray![6]!,
      '--mantine-color-default-border': dark ? c.dark![4]! : c.gray![5]!,
      '--mantine-color-dimmed': dark ? c.dark![2]! : c.gray![6]!,
      '--mantine-color-body': dark ? c.dark![8]! : c.gray![0]!,
      '--mantine-color-default': dark ? c.dark![7]! : '#FFFFFF',
      '--page': dark ? c.dark![8]! : c.gray![0]!,
      '--card': dark ? c.dark![7]! : '#FFFFFF',
      '--raised': dark ? c.dark![6]! : '#FFFFFF',
      '--sunk': dark ? c.dark![9]! : c.gray![1]!,
      '--hover': dark ? c.dark![6]! : c.gray![1]!,
      '--line': dark ? c.dark![5]! : c.gray![2]!,
      '--control-line': dark ? c.dark![4]! : c.gray![5]!,
      '--text': dark ? c.dark![0]! : c.gray![9]!,
      '--dim': dark ? c.dark![2]! : c.gray![6]!,
      '--gray-text': dark ? c.dark![2]! : c.gray![6]!,
      '--gray-fill': dark ? c.dark![6]! : c.gray![1]!,
      '--gray-line': dark ? c.dark![4]! : c.gray![3]!,
      '--ink': dark ? c.dark![9]! : '#FFFFFF',
      '--primary': dark ? c.tide![3]! : c.tide![6]!,
    }
  }
  return { variables: {}, light: scheme(false), dark: scheme(true) }
}
