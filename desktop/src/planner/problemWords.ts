/** Codes of a plan's making, its notes and broken rules; a code without a sentence is told in the centre's words. */
import { sentences } from '../i18n'

/** What keeps a plan from being made, what was left out or assumed, and what to do about it. `{about}`: queues, agents. */
export const troubles = sentences({
  'PLAN-STOPPED': [
    'The centre was stopped while this plan was made: make it again.{about}',
    'Centrum zatrzymano podczas tworzenia tego planu: utwórz go ponownie.{about}',
    'Контакт-центр остановили, пока план составлялся: составьте его заново.{about}',
  ],
  'JOB-KILLED': [
    'The process that made this plan was killed, perhaps for want of memory: make it again, or plan less at once.{about}',
    'Proces tworzący plan został przerwany, może z braku pamięci: utwórz go ponownie, albo planuj mniej naraz.{about}',
    'Процесс составления прерван, возможно, из-за нехватки памяти: составьте план заново или планируйте меньше сразу.{about}',
  ],
  'JOB-SLOW': [
    'This took too long and was given up: make it again, or plan less at once.{about}',
    'Trwało to zbyt długo i zostało przerwane: utwórz go ponownie, albo planuj mniej naraz.{about}',
    'Это длилось слишком долго и прервано: составьте план заново или планируйте меньше сразу.{about}',
  ],
  'JOB-FAILED': [
    'The process that makes plans failed: make it again; the log tells more.{about}',
    'Proces tworzący plany zawiódł: utwórz go ponownie; więcej w dzienniku.{about}',
    'Процесс составления отказал: составьте план заново; подробности в журнале.{about}',
  ],
  'WORKFORCE-MISSING': [
    'Plans can’t be reckoned here: an administrator has to run pip install ‘centrala[workforce]’ first.{about}',
    'Tu nie da się liczyć planów: administrator musi najpierw wykonać pip install ‘centrala[workforce]’.{about}',
    'Здесь нельзя рассчитать план: администратор должен сначала выполнить pip install ‘centrala[workforce]’.{about}',
  ],
  'HISTORY-NONE': [
    'The records hold too little of {about} to plan from: make a plan with a typed week.',
    'Zapisy nie zawierają jeszcze dość o {about}: utwórz plan z wpisanym tygodniem.',
    'В записях ещё мало данных о {about}: составьте план с введённой неделей.',
  ],
  'HISTORY-SHORT': [
    'The records of {about} are too few to foretell from: make a plan with a typed week, or wait for more of them.',
    'Za mało zapisów {about}, by prognozować: utwórz plan z wpisanym tygodniem albo poczekaj, aż będzie ich więcej.',
    'Записей {about} слишком мало для прогноза: составьте план с введённой неделей или подождите новых.',
  ],
  'HISTORY-GAP': [
    'The records of {about} have a hole: make a plan with a typed week, or wait for more of them.',
    'W zapisach {about} jest luka: utwórz plan z wpisanym tygodniem albo poczekaj na nowe zapisy.',
    'В записях {about} пробел: составьте план с введённой неделей или подождите новых.',
  ],
  'NO-DEMAND': [
    'Nobody is expected to call in these weeks: look at the opening hours and at the week that was typed. {about}',
    'W tych tygodniach nie oczekuje się kontaktów: sprawdź godziny otwarcia i wpisany tydzień. {about}',
    'В эти недели звонков не ожидается: проверьте часы работы и введённую неделю. {about}',
  ],
  'RULES-COLLIDE': [
    'No roster keeps all rules for {about}: change their hours, days or kinds of shifts, or the rules.',
    'Żaden grafik nie spełnia wszystkich zasad dla: {about}. Zmień ich godziny, dni lub rodzaje zmian albo zasady.',
    'Ни один график не соблюдает все правила для: {about}. Измените их часы, дни или виды смен либо правила.',
  ],
  'TARGET-UNATTAINABLE': [
    'The target can’t be met with any number of agents: take a lower one. {about}',
    'Celu nie da się osiągnąć przy żadnej liczbie osób: wybierz niższy. {about}',
    'Цель недостижима при любом числе операторов: возьмите ниже. {about}',
  ],
  'PATIENCE-ASSUMED': [
    'Too few callers gave up to know their patience ({about}): the usual one is taken.',
    'Zbyt mało osób zrezygnowało, by znać ich cierpliwość ({about}): przyjęto typową.',
    'Слишком мало отказавшихся, чтобы знать терпение ({about}): взято обычное.',
  ],
  'CLOSED-HOURS': [
    'Contacts expected while {about} is closed: nobody is planned for them.',
    'Oczekiwane kontakty, gdy {about} jest zamknięta: nikogo na nie nie zaplanowano.',
    'Обращения в часы, когда {about} закрыта: на них никто не запланирован.',
  ],
  'WEEKDAYS-UNKNOWN': [
    'The records say nothing of these weekdays: {about}. No contacts are planned on them.',
    'Zapisy nic nie mówią o tych dniach: {about}. Nie zaplanowano na nie kontaktów.',
    'Записи ничего не говорят об этих днях: {about}. Обращения на них не запланированы.',
  ],
  'DAYS-OVER': [
    'Nothing is foretold of {about} for days that are over already.',
    'Dla {about} nie ma prognozy na dni, które już minęły.',
    'Для {about} нет прогноза на уже прошедшие дни.',
  ],
  'ACTIVITY-UNPLACED': [
    'Some activities found no shift that they lie in, or meet a break: place them by hand. {about}',
    'Niektóre zajęcia nie mieszczą się w żadnej zmianie albo wypadają w przerwie: umieść je ręcznie. {about}',
    'Некоторым занятиям не нашлось смены или они попадают на перерыв: разместите вручную. {about}',
  ],
})

/** Rules that a roster can break. */
export const rules = sentences({
  'two-shifts': ['two shifts on a day', 'dwie zmiany jednego dnia', 'две смены в один день'],
  start: [
    'the shift doesn’t begin at this time',
    'zmiana nie zaczyna się o tej porze',
    'смена в это время не начинается',
  ],
  length: ['the shift is longer or shorter', 'zmiana ma inną długość', 'у смены другая длина'],
  'not-allowed': [
    'this kind of shift isn’t for them',
    'ten rodzaj zmiany nie jest dla tej osoby',
    'этот вид смены не для него',
  ],
  breaks: ['breaks aren’t as the shift has them', 'przerwy inne niż w zmianie', 'перерывы не как в смене'],
  work: ['the shift has a hole', 'zmiana ma lukę', 'в смене пробел'],
  group: ['doesn’t serve this queue', 'nie obsługuje tej kolejki', 'не обслуживает эту очередь'],
  absent: ['is absent', 'nieobecność', 'отсутствует'],
  availability: ['isn’t available then', 'poza dostępnością', 'в это время недоступен'],
  fixed: ['the day was settled otherwise', 'dzień ustalono inaczej', 'день определён иначе'],
  rest: ['too little rest between shifts', 'za krótki odpoczynek między zmianami', 'мало отдыха между сменами'],
  'days-in-row': ['too many days in a row', 'za dużo dni z rzędu', 'слишком много дней подряд'],
  hours: [
    'hours of the week aren’t as the contract says',
    'godziny tygodnia niezgodne z umową',
    'часы недели не по договору',
  ],
  'weekly-rest': [
    'no weekly rest in one piece',
    'brak nieprzerwanego odpoczynku tygodniowego',
    'нет непрерывного еженедельного отдыха',
  ],
  weekend: ['too few free weekends', 'za mało wolnych weekendów', 'мало свободных выходных'],
})
