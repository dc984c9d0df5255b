/** Names of node types, of their fields and exits. */
import { LANGUAGES, type Language, say, sentences } from '../i18n'

export const groupNames = sentences({
  speak: ['Speak', 'Mówienie', 'Речь'],
  ask: ['Ask the caller', 'Pytania do dzwoniącego', 'Вопросы звонящему'],
  decide: ['Decide', 'Decyzje', 'Решения'],
  data: ['Look up and send', 'Dane i wysyłka', 'Данные и отправка'],
  route: ['Lead on', 'Kierowanie', 'Направление'],
})

export const typeNames = sentences({
  answer: ['Answer', 'Odbierz', 'Ответить'],
  say: ['Say', 'Powiedz', 'Сказать'],
  play: ['Play a sound', 'Odtwórz nagranie', 'Проиграть звук'],
  menu: ['Menu', 'Menu', 'Меню'],
  collect: ['Collect digits', 'Pobierz cyfry', 'Ввод цифр'],
  survey: ['Ask a survey question', 'Zadaj pytanie ankiety', 'Задать вопрос опроса'],
  record: ['Record a message', 'Nagraj wiadomość', 'Записать сообщение'],
  voicemail: ['Leave a message', 'Poczta głosowa', 'Голосовая почта'],
  set: ['Set values', 'Ustaw wartości', 'Задать значения'],
  branch: ['Branch', 'Rozgałęzienie', 'Условие'],
  percentage: ['By share', 'Podział procentowy', 'По долям'],
  hours: ['Opening hours', 'Godziny otwarcia', 'Часы работы'],
  customer: ['Find the customer', 'Znajdź klienta', 'Найти клиента'],
  table: ['Look up in a table', 'Sprawdź w tabeli', 'Найти в таблице'],
  http: ['Ask by HTTP', 'Zapytanie HTTP', 'Запрос HTTP'],
  email: ['Send an e-mail', 'Wyślij e-mail', 'Отправить письмо'],
  python: ['Python node', 'Węzeł Pythona', 'Узел Python'],
  number: ['Check a number', 'Sprawdź numer', 'Проверить номер'],
  slots: ['Times for a callback', 'Terminy oddzwonienia', 'Время для обратного звонка'],
  wait: ['Go on waiting', 'Czekaj dalej', 'Ждать дальше'],
  callback: ['Callback', 'Oddzwonienie', 'Обратный звонок'],
  queue: ['To a queue', 'Do kolejki', 'В очередь'],
  transfer: ['Transfer', 'Przełącz', 'Перевод'],
  flow: ['Another flow', 'Inny scenariusz', 'Другой сценарий'],
  return: ['Return', 'Powrót', 'Возврат'],
  hang_up: ['Hang up', 'Rozłącz', 'Завершить звонок'],
})

export const typeHints = sentences({
  answer: [
    'Takes the call. Nodes that speak do so by themselves.',
    'Odbiera połączenie. Węzły, które mówią, robią to same.',
    'Принимает звонок. Говорящие узлы делают это сами.',
  ],
  say: ['Says a prompt.', 'Wypowiada komunikat.', 'Произносит сообщение.'],
  play: ['Plays one of your sounds.', 'Odtwarza jedno z nagrań.', 'Проигрывает один из звуков.'],
  menu: ['Asks for one key.', 'Prosi o jeden klawisz.', 'Просит нажать одну клавишу.'],
  collect: [
    'Asks for a number with several digits.',
    'Prosi o numer z kilku cyfr.',
    'Просит ввести число из нескольких цифр.',
  ],
  survey: [
    'Asks one question; the answer counts in the figures of surveys.',
    'Zadaje jedno pytanie; odpowiedź liczy się w ankietach.',
    'Задаёт один вопрос; ответ учитывается в опросах.',
  ],
  record: ['Records what the caller says.', 'Nagrywa, co mówi dzwoniący.', 'Записывает слова звонящего.'],
  voicemail: [
    'Records a message, which waits in a queue for an agent.',
    'Nagrywa wiadomość, która czeka w kolejce na konsultanta.',
    'Записывает сообщение, которое ждёт оператора в очереди.',
  ],
  set: ['Gives values to variables.', 'Nadaje wartości zmiennym.', 'Задаёт значения переменных.'],
  branch: [
    'Takes the first exit whose condition holds.',
    'Wybiera pierwsze wyjście, którego warunek zachodzi.',
    'Выбирает первый выход, условие которого верно.',
  ],
  percentage: ['Sends callers by chance.', 'Dzieli dzwoniących losowo.', 'Делит звонящих случайно.'],
  hours: [
    'Is it open now? Give a calendar or a queue.',
    'Czy jest otwarte? Podaj kalendarz albo kolejkę.',
    'Открыто ли сейчас? Укажите календарь или очередь.',
  ],
  customer: [
    'Looks for the caller among the customers.',
    'Szuka dzwoniącego wśród klientów.',
    'Ищет звонящего среди клиентов.',
  ],
  table: ['Looks up a row of a table.', 'Wyszukuje wiersz tabeli.', 'Ищет строку таблицы.'],
  http: ['Asks another system.', 'Pyta inny system.', 'Спрашивает другую систему.'],
  email: [
    'Sends an e-mail and goes on at once.',
    'Wysyła e-mail i od razu idzie dalej.',
    'Отправляет письмо и сразу идёт дальше.',
  ],
  python: ['Runs your own code.', 'Uruchamia własny kod.', 'Запускает ваш код.'],
  number: [
    'May this number be called? Left empty: the caller’s own.',
    'Czy pod ten numer można dzwonić? Puste: numer dzwoniącego.',
    'Можно ли звонить на этот номер? Пусто: номер звонящего.',
  ],
  slots: [
    'The next times at which the queue has room for a callback.',
    'Najbliższe terminy, w których kolejka może oddzwonić.',
    'Ближайшее время, когда очередь может перезвонить.',
  ],
  wait: [
    'Back to the queue that they left by a key, at the same place.',
    'Wraca do kolejki opuszczonej klawiszem, na to samo miejsce.',
    'Возвращает в очередь, покинутую по клавише, на то же место.',
  ],
  callback: [
    'We call them back. Without a time they keep their place in the queue.',
    'Oddzwonimy. Bez terminu dzwoniący zachowuje miejsce w kolejce.',
    'Мы перезвоним. Без времени звонящий сохраняет место в очереди.',
  ],
  queue: [
    'The caller waits for an agent. Open exits follow the queue’s own settings.',
    'Dzwoniący czeka na konsultanta. Otwarte wyjścia działają według ustawień kolejki.',
    'Звонящий ждёт оператора. Открытые выходы — по настройкам очереди.',
  ],
  transfer: ['Leads the caller to somebody.', 'Przełącza dzwoniącego do kogoś.', 'Переводит звонящего к кому-то.'],
  flow: [
    'Goes through another flow and comes back.',
    'Przechodzi przez inny scenariusz i wraca.',
    'Проходит другой сценарий и возвращается.',
  ],
  return: [
    'Back to the flow that came here.',
    'Wraca do scenariusza, z którego przyszedł.',
    'Возвращает в вызвавший сценарий.',
  ],
  hang_up: ['The end of the call.', 'Koniec połączenia.', 'Конец звонка.'],
})

export const fieldNames = sentences({
  prompt: ['Prompt', 'Komunikat', 'Сообщение'],
  barge_in: ['A key cuts it short', 'Klawisz je przerywa', 'Клавиша прерывает'],
  sound: ['Sound', 'Nagranie', 'Звук'],
  timeout: ['Time limit', 'Limit czasu', 'Тайм-аут'],
  digit_timeout: ['Between two digits', 'Między cyframi', 'Между цифрами'],
  retries: ['Asks again, times', 'Ile razy ponawia', 'Повторов'],
  timeout_prompt: ['Said after silence', 'Komunikat po ciszy', 'Сообщение после тишины'],
  invalid_prompt: ['Said after a wrong key', 'Komunikat po złym klawiszu', 'Сообщение после неверной клавиши'],
  variable: ['Into variable', 'Do zmiennej', 'В переменную'],
  least: ['Least digits', 'Najmniej cyfr', 'Минимум цифр'],
  most: ['Most digits', 'Najwięcej cyfr', 'Максимум цифр'],
  terminator: ['Key that ends it', 'Klawisz kończący', 'Завершающая клавиша'],
  question: ['Counted as, and into variable', 'Liczone jako, i do zmiennej', 'Учитывается как, и в переменную'],
  scale: ['Answered by', 'Odpowiedź', 'Чем отвечают'],
  secret: ['Secret (PIN, card)', 'Tajne (PIN, karta)', 'Секретно (PIN, карта)'],
  accept: ['Right only if', 'Poprawne tylko gdy', 'Верно, только если'],
  longest: ['Longest message', 'Najdłuższa wiadomość', 'Самое длинное сообщение'],
  silence: ['Silence that ends it', 'Cisza, która kończy', 'Тишина, которая завершает'],
  shortest: ['Shorter counts as empty', 'Krótsza to pusta', 'Короче — пустое'],
  values: ['Values', 'Wartości', 'Значения'],
  cases: ['Cases', 'Przypadki', 'Случаи'],
  shares: ['Shares', 'Udziały', 'Доли'],
  calendar: ['Calendar', 'Kalendarz', 'Календарь'],
  queue: ['Queue', 'Kolejka', 'Очередь'],
  into: ['Into variables that begin with', 'Do zmiennych o początku', 'В переменные с началом'],
  table: ['Table', 'Tabela', 'Таблица'],
  key: ['Key to look for', 'Szukany klucz', 'Искомый ключ'],
  method: ['Method', 'Metoda', 'Метод'],
  url: ['Address (URL)', 'Adres (URL)', 'Адрес (URL)'],
  take: ['Take from the answer', 'Weź z odpowiedzi', 'Взять из ответа'],
  headers: ['Headers', 'Nagłówki', 'Заголовки'],
  body: ['Body', 'Treść', 'Текст'],
  content_type: ['Type of the body', 'Typ treści', 'Тип содержимого'],
  cache: ['An answer holds for', 'Odpowiedź ważna przez', 'Ответ действует'],
  to: ['To', 'Do', 'Кому'],
  subject: ['Subject', 'Temat', 'Тема'],
  attach: ['Attach the message in', 'Dołącz wiadomość ze zmiennej', 'Приложить сообщение из'],
  entry_point: ['Entry point', 'Punkt wejścia', 'Точка входа'],
  arguments: ['Arguments', 'Argumenty', 'Аргументы'],
  priority: ['Points of priority', 'Punkty priorytetu', 'Очки приоритета'],
  number: ['Telephone number', 'Numer telefonu', 'Номер телефона'],
  slot: ['At the time', 'O czasie', 'В указанное время'],
  count: ['How many', 'Ile', 'Сколько'],
  lead: ['Not sooner than in', 'Nie wcześniej niż za', 'Не раньше чем через'],
  points: ['More points, reckoned', 'Dalsze punkty, wyliczane', 'Ещё очки, по формуле'],
  agent_wait: ['Waits for the agent for', 'Czeka na konsultanta przez', 'Ждёт оператора в течение'],
  record: ['Record the conversation', 'Nagrywaj rozmowę', 'Записывать разговор'],
  flow: ['Flow', 'Scenariusz', 'Сценарий'],
  exit: ['By the exit', 'Wyjściem', 'Через выход'],
  outcome: ['Counts as', 'Liczy się jako', 'Считается как'],
  cause: ['Said to the caller’s phone', 'Przyczyna dla telefonu', 'Причина для телефона'],
  agent: ['Agent', 'Konsultant', 'Оператор'],
  phone: ['SIP address', 'Adres SIP', 'Адрес SIP'],
  outside: ['Telephone number', 'Numer telefonu', 'Номер телефона'],
  title: ['Title', 'Tytuł', 'Название'],
  type: ['Type', 'Rodzaj', 'Тип'],
  start: ['Starts at', 'Zaczyna się od', 'Начинается с'],
  language: ['Language', 'Język', 'Язык'],
  voice: ['Voice', 'Głos', 'Голос'],
})

export const exitNames = sentences({
  next: ['then', 'dalej', 'дальше'],
  timeout: ['silence', 'cisza', 'тишина'],
  invalid: ['wrong key', 'zły klawisz', 'неверно'],
  empty: ['nothing said', 'nic nie powiedziano', 'пусто'],
  else: ['otherwise', 'w innym razie', 'иначе'],
  open: ['open', 'otwarte', 'открыто'],
  closed: ['closed', 'zamknięte', 'закрыто'],
  found: ['found', 'znaleziono', 'найдено'],
  unknown: ['not found', 'nie znaleziono', 'не найдено'],
  failed: ['failed', 'nie powiodło się', 'не удалось'],
  full: ['full', 'pełna', 'полна'],
  no_agents: ['nobody there', 'nikogo nie ma', 'никого нет'],
  max_wait: ['waited too long', 'zbyt długo', 'слишком долго'],
  booked: ['promised', 'obiecano', 'обещано'],
  no_number: ['no number to call', 'brak numeru', 'нет номера'],
  none: ['none', 'brak', 'нет'],
  slow: ['answered too late', 'zbyt wolno', 'отвечают поздно'],
})

export const choiceNames = sentences({
  self_served: ['served by itself', 'obsłużono automatycznie', 'обслужен автоматически'],
  redirected: ['sent elsewhere', 'skierowano gdzie indziej', 'направлен в другое место'],
  refused: ['turned away', 'odrzucono', 'отклонён'],
  unavailable: ['unavailable', 'niedostępny', 'недоступен'],
  busy: ['busy', 'zajęty', 'занято'],
  declined: ['declined', 'odrzucono', 'отклонено'],
  not_found: ['no such number', 'nie ma takiego numeru', 'нет такого номера'],
  '1-5': ['1 to 5', '1 do 5', '1–5'],
  '0-10': ['0 to 10', '0 do 10', '0–10'],
  yes_no: ['1 yes, 2 no', '1 tak, 2 nie', '1 да, 2 нет'],
})

export const fieldHints = sentences({
  slot: [
    'An expression, as: slot.1; left empty: as soon as it is their turn',
    'Wyrażenie, np. slot.1; puste: gdy przyjdzie ich kolej',
    'Выражение, например slot.1; пусто: когда подойдёт очередь',
  ],
  accept: ['An expression, as: luhn(card)', 'Wyrażenie, np. luhn(card)', 'Выражение, например luhn(card)'],
  points: [
    "An expression, as: if(contains(customer.badges, 'vip'), 5, 0)",
    "Wyrażenie, np. if(contains(customer.badges, 'vip'), 5, 0)",
    "Выражение, например if(contains(customer.badges, 'vip'), 5, 0)",
  ],
  secret: [
    'The digits are neither shown nor stored; only an HTTP node can use them.',
    'Cyfry nie są pokazywane ani zapisywane; może ich użyć tylko węzeł HTTP.',
    'Цифры не показываются и не хранятся; их может использовать только узел HTTP.',
  ],
  url: [
    'What is in braces is filled in: …/orders/{braces}',
    'To, co w klamrach, zostanie wstawione: …/orders/{braces}',
    'Что в фигурных скобках, подставляется: …/orders/{braces}',
  ],
  phone: ['As sip:door@10.0.0.7', 'Np. sip:door@10.0.0.7', 'Например, sip:door@10.0.0.7'],
  outside: [
    'With the country’s code, as +48221234567',
    'Z kodem kraju, np. +48221234567',
    'С кодом страны, например +48221234567',
  ],
  values: [
    'Expressions: "text", numbers, other variables.',
    'Wyrażenia: "tekst", liczby, inne zmienne.',
    'Выражения: "текст", числа, другие переменные.',
  ],
  cases: [
    'The first one that holds: amount > 100 and length(code) = 4',
    'Pierwszy spełniony: amount > 100 and length(code) = 4',
    'Первый верный: amount > 100 and length(code) = 4',
  ],
  take: ['A JSON pointer: /order/status', 'Wskaźnik JSON: /order/status', 'Указатель JSON: /order/status'],
})

type Names = Record<string, readonly [string, string, string]>

/** From one of the tables above; what has no name there is shown as it is. */
export function named(table: Names, key: string, language: Language, values?: Record<string, string>): string {
  const found = Object.hasOwn(table, key) ? table[key] : undefined
  return found ? say(found, values, language) : key
}

export const typeName = (type: string, language: Language): string => named(typeNames, type, language)

/** An exit for people: a key as it is, known ones by name. */
export const exitName = (exit: string, language: Language): string => named(exitNames, exit, language)

export const nodeName = (id: string, node: { type: string; title?: string } | undefined, language: Language): string =>
  node?.title || (node ? `${typeName(node.type, language)} (${id})` : id)

/** Every name of a type, to be found by. */
export const typeWords = (type: string): string => [...LANGUAGES.map((one) => typeName(type, one)), type].join(' ')
