/** Every page of the one app. Areas give theirs in `src/<area>/pages.ts`. */
import type { ComponentType, LazyExoticComponent } from 'react'
import { pages as account } from '../account/pages'
import { pages as admin } from '../admin/pages'
import { pages as agent } from '../agent/pages'
import { type Me, may } from '../api/session'
import { pages as flows } from '../flows/pages'
import type { Sentence } from '../i18n'
import { pages as planner } from '../planner/pages'
import { pages as supervisor } from '../supervisor/pages'
import type { IconName } from '../ui/icons'
import { part } from './part'

export interface Page {
  /** As in "/wallboard"; `/*` behind it for pages that have more below. */
  path: string
  title: Sentence
  icon: IconName
  /** Stands in the rail; others are found by Ctrl+K and by links. */
  rail?: boolean
  /** desk: between the agent's call slot and call bar. wide: the whole width. bare: nothing around it (a wall). */
  frame?: 'desk' | 'wide' | 'bare'
  /** Whether this user sees it. */
  for: (me: Me) => boolean
  /** Words that Ctrl+K finds it by, beside its title. */
  words?: string
  load: () => Promise<{ default: ComponentType }>
}

export interface Route extends Page {
  View: LazyExoticComponent<ComponentType>
}

export const routes: Route[] = [...agent, ...supervisor, ...planner, ...flows, ...admin, ...account].map((page) => ({
  ...page,
  View: part(page.load),
}))

export const routesFor = (me: Me): Route[] => routes.filter((one) => one.for(me))

/**
 * Where "/" goes: whoever leads begins with the board, whoever plans with the plans, an agent with the work, everybody
 * else with their first page.
 */
export function homeOf(me: Me): Route | undefined {
  const mine = routesFor(me)
  const plans = may(me, 'planning') && !may(me, 'settings')
  const first = may(me, 'steer') ? '/wallboard' : plans ? '/plans/*' : '/work'
  return mine.find((one) => one.path === first) ?? mine[0]
}
