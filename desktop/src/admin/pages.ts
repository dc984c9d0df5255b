import type { Page } from '../app/pages'

export const pages: Page[] = []
