import { describe, expect, it } from 'vitest'
import { clock, dayAndTime, number, percent, phoneNumber, span, timeOf } from './format'
import { render } from './icu'

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('clock', () => {
  it('counts m:ss, from an hour on h:mm:ss, and never runs below zero', () => {
    expect([0, 9.9, 60, 252, 3599, 3600, 36061, -3].map(clock)).toEqual([
      '0:00',
      '0:09',
      '1:00',
      '4:12',
      '59:59',
      '1:00:00',
      '10:01:01',
      '0:00',
    ])
  })
})

describe('times and numbers', () => {
  const at = Date.UTC(2026, 10, 12, 13, 2) / 1000
  it('are 24 h, day first, in the zone of the centre', () => {
    expect(timeOf('en', at, 'Europe/Warsaw')).toBe('14:02')
    expect(timeOf('ru', at, 'Asia/Yekaterinburg')).toBe('18:02')
    expect(timeOf('pl', Date.UTC(2026, 10, 12, 0, 5) / 1000, 'UTC')).toBe('00:05')
    expect(dayAndTime('en', at, 'UTC')).toMatch(/^12 Nov.* 13:02$/)
    expect(dayAndTime('pl', at, 'UTC')).toMatch(/^12 lis.* 13:02$/)
    expect(dayAndTime('ru', at, 'UTC')).toMatch(/^12 нояб.* 13:02$/)
  })
  it('follow the language', () => {
    expect(plain(number('pl', 12345.6, 1))).toBe('12 345,6')
    expect(plain(number('ru', 12345.6, 1))).toBe('12 345,6')
    expect(plain(percent('ru', 0.834))).toBe('83 %')
    expect(percent('en', 0.834)).toBe('83%')
    expect(span('ru', 240)).toBe('4 мин')
    expect(span('pl', 240)).toBe('4 min')
    expect(span('en', 4800)).toBe('1 h 20 min')
    expect(span('en', 45)).toBe('45 s')
    expect(phoneNumber('+48600100200')).toBe('+48 600 100 200')
    expect(phoneNumber('+79161234567')).toBe('+7 916 123-45-67')
    expect(phoneNumber('alice')).toBe('alice')
  })
})

describe('plurals', () => {
  const ru = '{n, plural, one {# звонок} few {# звонка} many {# звонков} other {# звонка}}'
  const pl = '{n, plural, one {# połączenie} few {# połączenia} many {# połączeń} other {# połączenia}}'
  it('count as the glossary says', () => {
    expect([1, 2, 5, 11, 21, 22, 111].map((n) => render('ru', ru, { n }))).toEqual([
      '1 звонок',
      '2 звонка',
      '5 звонков',
      '11 звонков',
      '21 звонок',
      '22 звонка',
      '111 звонков',
    ])
    expect(render('ru', ru, { n: 1.5 })).toBe('1,5 звонка')
    expect([1, 2, 5, 12, 21, 22].map((n) => render('pl', pl, { n }))).toEqual([
      '1 połączenie',
      '2 połączenia',
      '5 połączeń',
      '12 połączeń',
      '21 połączeń',
      '22 połączenia',
    ])
    expect(render('pl', pl, { n: 1.5 })).toBe('1,5 połączenia')
  })
  it('never throw for a value that is not there, and take no markup', () => {
    expect(render('en', 'Hello {name}', {})).toBe('Hello ')
    expect(render('en', 'Hello {name}', { name: '<b>x</b>{y}' })).toBe('Hello <b>x</b>{y}')
    expect(render('en', '<b>{name}</b>', { name: 'x' })).toBe('<b>x</b>')
    expect(render('en', '{a, select, x {X} other {O {n}}}', { n: 1200 })).toBe('O 1,200')
  })
})
