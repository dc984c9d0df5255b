/** Why no calls come: the core's codes (core/explain.py), each a sentence. A code without one fails the checks. */
import { sentences } from './index'

export const explain = sentences({
  NEXT: [
    'You’ll get the next {queue} call.',
    'Następne połączenie z kolejki {queue} jest Twoje.',
    'Следующий звонок из очереди {queue} — ваш.',
  ],
  NOBODY_WAITS: [
    'Nobody waits in your {queues, plural, =1 {queue} one {# queue} other {# queues}}{ahead, plural, =0 {; you are the next} one {; # colleague has been free longer} other {; # colleagues have been free longer}}.',
    'Nikt nie czeka w {queues, plural, =1 {kolejce} one {# kolejce} few {# kolejkach} many {# kolejkach} other {# kolejki}}{ahead, plural, =0 {; następne połączenie jest Twoje} one {; # konsultant jest wolny dłużej} few {; # konsultantów jest wolnych dłużej} many {; # konsultantów jest wolnych dłużej} other {; # konsultanta jest wolne dłużej}}.',
    'Никто не ждёт в {queues, plural, =1 {вашей очереди} one {# вашей очереди} few {# ваших очередях} many {# ваших очередях} other {# очереди}}{ahead, plural, =0 {; вы следующий} one {; # коллега свободен дольше} few {; # коллеги свободны дольше} many {; # коллег свободны дольше} other {; # коллеги свободны дольше}}.',
  ],
  NOT_READY: ['Not ready since {since} ({reason}).', 'Pauza od {since} ({reason}).', 'Пауза с {since} ({reason}).'],
  SIGNED_OUT: [
    'Signed out of the queues: no calls come.',
    'Wylogowanie z kolejek: połączenia nie przychodzą.',
    'Вы вне очередей: звонки не поступают.',
  ],
  PHONE_LOST: [
    'Your phone can’t be reached since {since}: no calls come until it registers again.',
    'Telefon jest nieosiągalny od {since}: połączenia przyjdą, gdy znów się zarejestruje.',
    'Телефон недоступен с {since}: звонки пойдут, когда он снова зарегистрируется.',
  ],
  ASLEEP: [
    'This page slept at {since}; the wake-up test failed.',
    'Ta strona zasnęła o {since}; test wybudzenia się nie udał.',
    'Эта страница заснула в {since}; проверка пробуждения не прошла.',
  ],
  RESTING: [
    'Missed {missed, plural, one {# call} other {# calls}}; paused until {until}.',
    '{missed, plural, one {Nieodebrane # połączenie} few {Nieodebrane # połączenia} many {Nieodebranych # połączeń} other {Nieodebrane # połączenia}}; pauza do {until}.',
    '{missed, plural, one {Пропущен # звонок} few {Пропущено # звонка} many {Пропущено # звонков} other {Пропущено # звонка}}; пауза до {until}.',
  ],
  IN_CALL: [
    'You are in a call; the next one comes after it.',
    'Trwa rozmowa; następne połączenie przyjdzie po niej.',
    'Идёт разговор; следующий звонок — после него.',
  ],
  WRAP_UP: [
    '{result_missing, select, true {Wrap-up is over its limit: give the result to be ready again.} other {Wrap-up until {until}; then you are ready again.}}',
    '{result_missing, select, true {Czas pracy po rozmowie minął: podaj wynik, aby wrócić do gotowości.} other {Praca po rozmowie do {until}; potem znów gotowość.}}',
    '{result_missing, select, true {Время постобработки вышло: укажите результат, чтобы снова быть готовым.} other {Постобработка до {until}; затем снова готовность.}}',
  ],
  OFFERED: ['A call rings at your phone.', 'Telefon dzwoni.', 'Вам звонят.'],
  NO_QUEUE: [
    'You serve no queue: ask your supervisor.',
    'Brak przypisanych kolejek: proszę zapytać supervisora.',
    'За вами нет очередей: обратитесь к супервизору.',
  ],
  QUEUES_CLOSED: [
    'Your queues are closed{opens, select, none {} other { until {opens}}}.',
    'Kolejki są zamknięte{opens, select, none {} other { do {opens}}}.',
    'Ваши очереди закрыты{opens, select, none {} other { до {opens}}}.',
  ],
  WIDENS: [
    'You help {queue} only: its calls come to you once they have waited long, or many wait.',
    'Pomagasz tylko w kolejce {queue}: jej połączenia przyjdą, gdy długo czekają albo czeka ich wiele.',
    'Вы лишь помогаете очереди {queue}: её звонки придут, если они долго ждут или их много.',
  ],
  SKILL: [
    '{queue} needs {skill} {level}, you have {have}. Ask your supervisor.',
    'Kolejka {queue} wymaga: {skill} {level}, masz {have}. Proszę zapytać supervisora.',
    'Очередь {queue} требует: {skill} {level}, у вас {have}. Обратитесь к супервизору.',
  ],
  UNKNOWN: ['Reason: {code}.', 'Powód: {code}.', 'Причина: {code}.'],
})

export type ExplainCode = keyof typeof explain
