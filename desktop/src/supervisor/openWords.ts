import { sentences } from '../i18n'

export const openWords = sentences({
  also: ['Also: {who}', 'Także: {who}', 'Также: {who}'],
  skill: ['{skill} ≥ {level}', '{skill} ≥ {level}', '{skill} ≥ {level}'],
  noSkill: ['without {skill}', 'bez {skill}', 'без {skill}'],
  agentsOf: ['agents of {queue}', 'konsultanci: {queue}', 'операторы: {queue}'],
  openWhy: [
    'The queue is open to more agents than its own.',
    'Kolejka jest otwarta także dla innych konsultantów.',
    'Очередь открыта и другим операторам.',
  ],
  stage: ['(stage {n} of {of})', '(etap {n} z {of})', '(ступень {n} из {of})'],
  since: [
    '{n, plural, =0 {Just now,} one {For # minute,} other {For # minutes,}}',
    '{n, plural, =0 {Od teraz,} one {Od # minuty,} few {Od # minut,} many {Od # minut,} other {Od # minuty,}}',
    '{n, plural, =0 {Только что,} one {Уже # минуту,} few {Уже # минуты,} many {Уже # минут,} other {Уже # минуты,}}',
  ],
  why_wait: [
    '{n, plural, one {for # caller who has waited long.} other {for # callers who have waited long.}}',
    '{n, plural, one {dla # długo czekającej osoby.} few {dla # długo czekających osób.} many {dla # długo czekających osób.} other {dla # długo czekającej osoby.}}',
    '{n, plural, one {для # долго ждущего.} few {для # долго ждущих.} many {для # долго ждущих.} other {для # долго ждущего.}}',
  ],
  why_length: [
    '{n, plural, one {for all, as the queue is long (# waits).} other {for all, as the queue is long (# wait).}}',
    '{n, plural, one {dla wszystkich, bo kolejka jest długa (czeka #).} few {dla wszystkich, bo kolejka jest długa (czekają #).} many {dla wszystkich, bo kolejka jest długa (czeka #).} other {dla wszystkich, bo kolejka jest długa (czeka #).}}',
    '{n, plural, one {для всех: очередь длинная (ждёт #).} few {для всех: очередь длинная (ждут #).} many {для всех: очередь длинная (ждут #).} other {для всех: очередь длинная (ждёт #).}}',
  ],
  why_service_level: [
    '{n, plural, one {for all, as too few are answered in time (# waits).} other {for all, as too few are answered in time (# wait).}}',
    '{n, plural, one {dla wszystkich, bo zbyt mało odbiera się na czas (czeka #).} few {dla wszystkich, bo zbyt mało odbiera się na czas (czekają #).} many {dla wszystkich, bo zbyt mało odbiera się na czas (czeka #).} other {dla wszystkich, bo zbyt mało odbiera się na czas (czeka #).}}',
    '{n, plural, one {для всех: вовремя отвечают редко (ждёт #).} few {для всех: вовремя отвечают редко (ждут #).} many {для всех: вовремя отвечают редко (ждут #).} other {для всех: вовремя отвечают редко (ждёт #).}}',
  ],
  more: [
    '{n, plural, =0 {Nobody more may be asked.} one {# more agent may be asked.} other {# more agents may be asked.}}',
    '{n, plural, =0 {Nikogo więcej nie można zapytać.} one {Można zapytać # konsultanta więcej.} few {Można zapytać # konsultantów więcej.} many {Można zapytać # konsultantów więcej.} other {Można zapytać # konsultanta więcej.}}',
    '{n, plural, =0 {Больше спросить некого.} one {Можно спросить ещё # оператора.} few {Можно спросить ещё # операторов.} many {Можно спросить ещё # операторов.} other {Можно спросить ещё # оператора.}}',
  ],
  lent: ['Lent to this queue now', 'Wypożyczeni teraz do tej kolejki', 'Сейчас одолжены этой очереди'],
})
