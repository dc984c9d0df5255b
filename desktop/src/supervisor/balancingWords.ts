/** Sentences of rebalancing, for the page and for an agent's panel. */
import { sentences } from '../i18n'
import { titles } from './titles'

export const words = sentences({
  title: titles.balancing,
  off: [
    'Agents are not lent by themselves here.',
    'Konsultanci nie są tu wypożyczani samoczynnie.',
    'Здесь операторов не одалживают автоматически.',
  ],
  offWhy: [
    'An administrator switches it on in the settings: the house’s rebalancing, the limits of queues, and whom each agent helps.',
    'Włącza to administrator w ustawieniach: równoważenie w centrum, granice kolejek i komu pomaga każdy konsultant.',
    'Это включает администратор в настройках: выравнивание, пределы очередей и кому помогает каждый оператор.',
  ],
  running: ['Runs', 'Działa', 'Работает'],
  paused: ['Paused: nobody is lent', 'Wstrzymane: nikt nie jest wypożyczony', 'Приостановлено: никто не одолжен'],
  idle: ['No queue takes part.', 'Żadna kolejka nie bierze udziału.', 'Ни одна очередь не участвует.'],
  pause: ['Pause', 'Wstrzymaj', 'Приостановить'],
  goOn: ['Let it go on', 'Wznów', 'Возобновить'],
  pauseWhy: [
    'All who are lent return; a call that runs goes on to its end.',
    'Wszyscy wypożyczeni wracają; trwająca rozmowa potrwa do końca.',
    'Все одолженные вернутся; текущий разговор дойдёт до конца.',
  ],
  rules: [
    '{moves, plural, one {At most # move an hour of one agent} other {At most # moves an hour of one agent}}; margin {margin}',
    '{moves, plural, one {Najwyżej # zmiana na godzinę na osobę} few {Najwyżej # zmiany na godzinę na osobę} many {Najwyżej # zmian na godzinę na osobę} other {Najwyżej # zmiany na godzinę na osobę}}; margines {margin}',
    '{moves, plural, one {Не больше # перехода в час на человека} few {Не больше # переходов в час на человека} many {Не больше # переходов в час на человека} other {Не больше # переходов в час на человека}}; запас {margin}',
  ],
  loans: ['Lent now', 'Wypożyczeni teraz', 'Одолжены сейчас'],
  noLoans: ['Nobody is lent.', 'Nikt nie jest wypożyczony.', 'Никто не одолжен.'],
  lent: [
    'lent to {queue} since {at}: expected {without} there without, {with} with {agents, plural, one {# more} other {# more}}',
    'w kolejce {queue} od {at}: oczekiwano tam {without} bez wsparcia, {with} z {agents, plural, one {# osobą} few {# osobami} many {# osobami} other {# osoby}} więcej',
    'в очереди {queue} с {at}: без помощи ожидалось {without}, с помощью {agents, plural, one {# человека} few {# человек} many {# человек} other {# человека}} — {with}',
  ],
  home: [
    '{queue} gives: {without} before, {with} after (target {target})',
    'oddaje {queue}: {without} przedtem, {with} potem (cel {target})',
    'отдаёт {queue}: было {without}, стало {with} (цель {target})',
  ],
  end: ['Take back', 'Cofnij', 'Вернуть'],
  endOf: ['Take back: {name}, {queue}', 'Cofnij: {name}, kolejka {queue}', 'Вернуть: {name}, очередь {queue}'],
  endWhy: [
    'From the next call on, and not lent there again for an hour.',
    'Od następnego połączenia; przez godzinę bez ponownego wypożyczenia tam.',
    'Со следующего звонка; час туда снова не одолжат.',
  ],
  limits: ['Queues and their limits', 'Kolejki i ich granice', 'Очереди и их пределы'],
  queue: ['Queue', 'Kolejka', 'Очередь'],
  lentHere: ['Lent to it', 'Wypożyczeni do niej', 'Одолжено ей'],
  given: ['Lent by it', 'Wypożyczeni z niej', 'Одолжено ею'],
  gives: ['Gives', 'Oddaje', 'Отдаёт'],
  takes: ['Takes', 'Przyjmuje', 'Принимает'],
  reserve: ['Never lent', 'Zawsze zostaje', 'Всегда остаются'],
  most: ['At most', 'Najwyżej', 'Не больше'],
  yes: ['yes', 'tak', 'да'],
  no: ['no', 'nie', 'нет'],
  any: ['any number', 'dowolnie', 'любое'],
  limitsWhy: [
    'Limits are keys of the settings (balance of a queue, helps of an agent); they hold at once.',
    'Granice to klucze ustawień (balance kolejki, helps konsultanta); działają od razu.',
    'Пределы — ключи настроек (balance очереди, helps оператора); они действуют сразу.',
  ],
})
