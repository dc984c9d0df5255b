/** Sentences that several of the planner's pages use. */
import { sentences } from '../i18n'
import { titles } from './titles'

export const words = sentences({
  plans: titles.plans,
  today: titles.today,
  people: titles.people,
  areas: ['Planning', 'Planowanie', 'Планирование'],
  // lists
  newPlan: ['New plan', 'Nowy plan', 'Новый план'],
  none: ['No plan yet', 'Nie ma jeszcze planu', 'Планов пока нет'],
  noneWhy: [
    'A plan says how many contacts will come, how many agents they need, and who works when.',
    'Plan mówi, ile kontaktów przyjdzie, ilu konsultantów potrzeba i kto kiedy pracuje.',
    'План говорит, сколько будет обращений, сколько нужно операторов и кто когда работает.',
  ],
  noneWait: [
    'Whoever plans has made none yet.',
    'Osoba planująca jeszcze żadnego nie utworzyła.',
    'Планировщик пока ни одного не составил.',
  ],
  name: ['Name', 'Nazwa', 'Название'],
  period: ['Weeks', 'Tygodnie', 'Недели'],
  state: ['State', 'Stan', 'Состояние'],
  made: ['Made', 'Utworzono', 'Составлен'],
  'state.making': ['Being made', 'W przygotowaniu', 'Составляется'],
  'state.draft': ['Draft', 'Szkic', 'Черновик'],
  'state.failed': ['Failed', 'Nieudany', 'Не удался'],
  'state.published': ['Published', 'Opublikowany', 'Опубликован'],
  'state.archived': ['Archived', 'W archiwum', 'В архиве'],
  'stage.waiting': ['Waits for its turn', 'Czeka na swoją kolej', 'Ждёт своей очереди'],
  'stage.forecast': ['Forecast of contacts', 'Prognoza kontaktów', 'Прогноз обращений'],
  'stage.staffing': ['Agents needed', 'Potrzebni konsultanci', 'Сколько нужно операторов'],
  'stage.roster': ['Roster', 'Grafik', 'График'],
  'stage.check': ['Check', 'Sprawdzenie', 'Проверка'],
  progress: ['{stage}: {share}', '{stage}: {share}', '{stage}: {share}'],
  weeksFrom: [
    '{n, plural, one {# week} other {# weeks}} from {day}',
    '{n, plural, one {# tydzień} few {# tygodnie} many {# tygodni} other {# tygodnia}} od {day}',
    '{n, plural, one {# неделя} few {# недели} many {# недель} other {# недели}} с {day}',
  ],
  // figures
  short: ['Agent hours missing', 'Brakujące godziny', 'Не хватает часов'],
  over: ['Agent hours too many', 'Nadmiarowe godziny', 'Лишних часов'],
  cost: ['Cost', 'Koszt', 'Стоимость'],
  costNote: ['in hours’ pay', 'w stawkach godzinowych', 'в часовых ставках'],
  gap: ['Still to gain at most', 'Możliwa poprawa najwyżej', 'Можно улучшить не более'],
  gapNote: ['proven: no roster costs less', 'dowód: żaden grafik nie jest tańszy', 'доказано: дешевле графика нет'],
  expected: ['Service level expected', 'Oczekiwany poziom obsługi', 'Ожидаемый уровень сервиса'],
  gapGone: [
    'unknown since it was edited by hand',
    'nieznana po ręcznych zmianach',
    'неизвестно после ручных изменений',
  ],
  // courses
  contacts: ['Contacts', 'Kontakty', 'Обращения'],
  agentsPlot: ['Agents', 'Konsultanci', 'Операторы'],
  level: ['Service level', 'Poziom obsługi', 'Уровень сервиса'],
  required: ['required', 'potrzebni', 'нужно'],
  staffed: ['staffed', 'zaplanowani', 'по графику'],
  demandLine: ['forecast', 'prognoza', 'прогноз'],
  bandLine: ['likely range', 'prawdopodobny zakres', 'вероятный диапазон'],
  targetLine: ['target', 'cel', 'цель'],
  readout: [
    '{at}: {contacts} contacts ({low} to {high}), {required} agents required, {staffed} staffed, service level {level}',
    '{at}: {contacts} kontaktów ({low}–{high}), potrzeba {required} konsultantów, zaplanowano {staffed}, poziom obsługi {level}',
    '{at}: {contacts} обращений ({low}–{high}), нужно операторов {required}, по графику {staffed}, уровень сервиса {level}',
  ],
  pointAt: [
    'Point at a time to read it.',
    'Wskaż porę, aby odczytać wartości.',
    'Наведите на время, чтобы прочитать значения.',
  ],
  asTable: ['As a table', 'Jako tabela', 'Таблицей'],
  asPlot: ['As a plot', 'Jako wykres', 'Графиком'],
  time: ['Time', 'Pora', 'Время'],
  from: ['From', 'Od', 'С'],
  to: ['To', 'Do', 'До'],
  range: ['{low} to {high}', '{low}–{high}', '{low}–{high}'],
  plotSaid: [
    '{contacts} contacts expected; at most {required} agents required and {staffed} staffed',
    'Oczekiwane kontakty: {contacts}; najwięcej potrzebnych konsultantów: {required}, zaplanowanych: {staffed}',
    'Ожидается обращений: {contacts}; наибольшая потребность в операторах: {required}, по графику: {staffed}',
  ],
  allQueues: ['All queues together', 'Wszystkie kolejki razem', 'Все очереди вместе'],
  readOnly: [
    'Your role reads plans; a planner changes them.',
    'Ta rola czyta plany; zmienia je osoba planująca.',
    'Ваша роль читает планы; меняет их планировщик.',
  ],
  remove: ['Remove', 'Usuń', 'Убрать'],
  apply: ['Apply', 'Zastosuj', 'Применить'],
  perHour: ['Contacts an hour', 'Kontakty na godzinę', 'Обращений в час'],
})

export type StateWord = 'state.making' | 'state.draft' | 'state.failed' | 'state.published' | 'state.archived'
