/** What the checker of flows finds, in three languages; a code without its sentence here is shown in English. */
import { type Catalogue, type Sentence, sentences } from '../i18n'
import { holes } from '../i18n/icu'
import type { Problem } from './types'

const known: Catalogue = sentences({
  'FLOW-JSON': [
    'This can’t be read as JSON: {reason}',
    'Nie da się tego odczytać jako JSON: {reason}',
    'Это не читается как JSON: {reason}',
  ],
  'FLOW-TWICE': [
    '{found} stands twice: remove one.',
    '{found} występuje dwa razy: usuń jedno.',
    '{found} встречается дважды: уберите одно.',
  ],
  'FLOW-NO-FLOW': [
    'A flow is a JSON object with format, start and nodes; this is {found}.',
    'Scenariusz to obiekt JSON z format, start i nodes; a to jest {found}.',
    'Сценарий — объект JSON с format, start и nodes, а это {found}.',
  ],
  'FLOW-FORMAT': [
    'The format {found} is unknown: it must be {wanted}.',
    'Format {found} jest nieznany: musi być {wanted}.',
    'Формат {found} неизвестен: нужен {wanted}.',
  ],
  'FLOW-ID': [
    '“{found}” can’t be the id of a node: use letters, digits, _, - and dots, at most {most}.',
    '„{found}” nie może być id węzła: litery, cyfry, _, - i kropki, najwyżej {most}.',
    '«{found}» не может быть id узла: буквы, цифры, _, - и точки, не больше {most}.',
  ],
  'FLOW-NODE': [
    'A node is an object with type and exits; this is {found}.',
    'Węzeł to obiekt z type i exits; a to jest {found}.',
    'Узел — объект с type и exits, а это {found}.',
  ],
  'FLOW-PART': [
    'A part of a prompt is a text, or an object with one of {wanted}.',
    'Część komunikatu to tekst albo obiekt z jednym z: {wanted}.',
    'Часть сообщения — текст или объект с одним из: {wanted}.',
  ],
  'FLOW-SIZE': [
    'The flow is longer than {most} characters: divide it into sub-flows.',
    'Scenariusz ma ponad {most} znaków: podziel go na kilka.',
    'Сценарий длиннее {most} знаков: разделите его на несколько.',
  ],
  'FLOW-NODES': [
    'The flow has more than {most} nodes: divide it into sub-flows.',
    'Scenariusz ma ponad {most} węzłów: podziel go na kilka.',
    'В сценарии больше {most} узлов: разделите его на несколько.',
  ],
  'FLOW-TYPE': [
    'There is no node of the type {found}. There are {wanted}.',
    'Nie ma węzła rodzaju {found}. Są: {wanted}.',
    'Нет узла типа {found}. Есть: {wanted}.',
  ],
  'FLOW-UNKNOWN-FIELD': [
    'There is no field {found} here: remove it.',
    'Nie ma tu pola {found}: usuń je.',
    'Здесь нет поля {found}: уберите его.',
  ],
  'FLOW-NAME': [
    '“{found}” can’t be a name: write 1 to {most} letters.',
    '„{found}” nie może być nazwą: wpisz od 1 do {most} znaków.',
    '«{found}» не может быть именем: введите от 1 до {most} знаков.',
  ],
  'FLOW-VARIABLE': [
    '“{found}” can’t name a variable: use letters, digits, _ and dots, a letter first.',
    '„{found}” nie może być nazwą zmiennej: litery, cyfry, _ i kropki, na początku litera.',
    '«{found}» не может быть именем переменной: буквы, цифры, _ и точки, первой буква.',
  ],
  'FLOW-POINTER': [
    '“{found}” is no JSON pointer: write it as /order/status.',
    '„{found}” to nie wskaźnik JSON: zapisz go jak /order/status.',
    '«{found}» не указатель JSON: запишите как /order/status.',
  ],
  'FLOW-START': [
    'The flow begins at {found}, which isn’t there: choose a node.',
    'Scenariusz zaczyna się od {found}, którego nie ma: wybierz węzeł.',
    'Сценарий начинается с {found}, которого нет: выберите узел.',
  ],
  'FLOW-UNREACHABLE': [
    'No way leads here: connect the node, or remove it.',
    'Nic tu nie prowadzi: połącz węzeł albo go usuń.',
    'Сюда ничего не ведёт: соедините узел или удалите его.',
  ],
  'FLOW-EXIT-MISSING': [
    'The exit “{exit}” leads nowhere: connect it.',
    'Wyjście „{exit}” prowadzi donikąd: połącz je.',
    'Выход «{exit}» никуда не ведёт: соедините его.',
  ],
  'FLOW-EXIT-UNKNOWN': [
    'This node never takes the exit “{exit}”: remove it.',
    'Ten węzeł nigdy nie wybiera wyjścia „{exit}”: usuń je.',
    'Этот узел никогда не выбирает выход «{exit}»: уберите его.',
  ],
  'FLOW-NOWHERE': [
    'The exit “{exit}” leads to {found}, which isn’t there: connect it anew.',
    'Wyjście „{exit}” prowadzi do {found}, którego nie ma: połącz je na nowo.',
    'Выход «{exit}» ведёт к {found}, которого нет: соедините заново.',
  ],
  'FLOW-MENU': [
    'The menu has no key: add one.',
    'Menu nie ma żadnego klawisza: dodaj jakiś.',
    'В меню нет ни одной клавиши: добавьте.',
  ],
  'FLOW-LOOP': [
    'The way goes round here while nobody is asked or waited for ({nodes}): lead it elsewhere, or put a node in between that asks.',
    'Droga krąży tu, nikogo nie pytając i na nic nie czekając ({nodes}): poprowadź ją gdzie indziej albo wstaw węzeł, który pyta.',
    'Путь здесь ходит по кругу, никого не спрашивая и ничего не ожидая ({nodes}): ведите его иначе или вставьте узел с вопросом.',
  ],
  'FLOW-NO-END': [
    'Whoever comes here never gets out ({nodes}): lead a way to a hang-up, a queue, a transfer or a return.',
    'Kto tu trafi, nigdy nie wyjdzie ({nodes}): poprowadź drogę do rozłączenia, kolejki, przełączenia lub powrotu.',
    'Попавший сюда не выйдет никогда ({nodes}): ведите путь к завершению, очереди, переводу или возврату.',
  ],
  'FLOW-QUEUE': [
    'There is no queue “{found}”: choose another, or make it first.',
    'Nie ma kolejki „{found}”: wybierz inną albo najpierw ją utwórz.',
    'Нет очереди «{found}»: выберите другую или сначала создайте её.',
  ],
  'FLOW-AGENT': [
    'There is no agent “{found}”: choose another, or make them first.',
    'Nie ma konsultanta „{found}”: wybierz innego albo najpierw go dodaj.',
    'Нет оператора «{found}»: выберите другого или сначала добавьте.',
  ],
  'FLOW-CALENDAR': [
    'There is no calendar “{found}”: choose another, or make it first.',
    'Nie ma kalendarza „{found}”: wybierz inny albo najpierw go utwórz.',
    'Нет календаря «{found}»: выберите другой или сначала создайте его.',
  ],
  'FLOW-TABLE': [
    'There is no table “{found}”: choose another, or make it first.',
    'Nie ma tabeli „{found}”: wybierz inną albo najpierw ją utwórz.',
    'Нет таблицы «{found}»: выберите другую или сначала создайте её.',
  ],
  'FLOW-ENTRY-POINT': [
    'No Python node “{found}” is installed: choose another, or install its package.',
    'Węzeł Pythona „{found}” nie jest zainstalowany: wybierz inny albo zainstaluj jego pakiet.',
    'Узел Python «{found}» не установлен: выберите другой или установите его пакет.',
  ],
  'FLOW-FLOW': [
    'There is no published flow “{found}”: choose another, or publish it first.',
    'Nie ma opublikowanego scenariusza „{found}”: wybierz inny albo najpierw go opublikuj.',
    'Нет опубликованного сценария «{found}»: выберите другой или сначала опубликуйте его.',
  ],
  'FLOW-SOUND': [
    'There is no sound “{found}”: choose another, or upload it first.',
    'Nie ma nagrania „{found}”: wybierz inne albo najpierw je prześlij.',
    'Нет звука «{found}»: выберите другой или сначала загрузите его.',
  ],
  'FLOW-SOUND-FIXED': [
    'The name of a sound must be written out, with nothing to fill in: use a branch.',
    'Nazwa nagrania musi być wpisana wprost, bez wstawek: użyj rozgałęzienia.',
    'Имя звука должно быть написано целиком, без подстановок: используйте условие.',
  ],
  'FLOW-TARGET': [
    '“{found}” can’t be rung: write it as {wanted}.',
    'Na „{found}” nie da się zadzwonić: zapisz jak {wanted}.',
    'На «{found}» нельзя позвонить: запишите как {wanted}.',
  ],
  'FLOW-RECURSION': [
    'The flow “{found}” leads back into a flow that one is in already: use another.',
    'Scenariusz „{found}” prowadzi z powrotem do scenariusza, w którym już jesteśmy: użyj innego.',
    'Сценарий «{found}» ведёт обратно в сценарий, который уже идёт: используйте другой.',
  ],
  'FLOW-DEPTH': [
    'More than {most} flows are inside each other from here: put some of them together.',
    'Od tego miejsca jest ponad {most} scenariuszy jeden w drugim: połącz niektóre.',
    'Отсюда вложено больше {most} сценариев: объедините некоторые.',
  ],
  'FLOW-RETURN': [
    'The inner flow returns by “{exit}”, for which there is no exit here, so that it goes by “otherwise”: connect it.',
    'Wewnętrzny scenariusz wraca przez „{exit}”, a tu nie ma takiego wyjścia, więc pójdzie „w innym razie”: połącz je.',
    'Вложенный сценарий возвращает «{exit}», а такого выхода здесь нет, и путь пойдёт через «иначе»: соедините его.',
  ],
  'FLOW-NEVER': [
    'Nobody ever goes this way: remove it, or change what comes before it.',
    'Nikt nigdy tędy nie pójdzie: usuń to albo zmień, co jest wcześniej.',
    'Этим путём никто не пойдёт: уберите его или измените то, что раньше.',
  ],
  'FLOW-SHARES': [
    'The shares make {found} percent together: they must make 100.',
    'Udziały dają razem {found} procent: muszą dać 100.',
    'Доли вместе дают {found} процентов: должно быть 100.',
  ],
  'FLOW-RANGE': [
    'This is {found}: write a number from {least} to {most}.',
    'Jest {found}: wpisz liczbę od {least} do {most}.',
    'Здесь {found}: введите число от {least} до {most}.',
  ],
  'FLOW-PROMPT': [
    'Nothing is said here: write what.',
    'Nic się tu nie mówi: wpisz co.',
    'Здесь ничего не говорится: напишите что.',
  ],
  'FLOW-LANGUAGE': [
    'There is no voice for the language {found}: use one of {wanted}.',
    'Nie ma głosu dla języka {found}: użyj jednego z: {wanted}.',
    'Нет голоса для языка {found}: используйте один из: {wanted}.',
  ],
  'FLOW-TRANSLATION': [
    'The flow speaks {missing} too, but this isn’t said in it: add the text.',
    'Scenariusz mówi też w języku {missing}, ale tego w nim nie ma: dodaj tekst.',
    'Сценарий говорит и на языке {missing}, а этого на нём нет: добавьте текст.',
  ],
  'FLOW-PART-VALUE': [
    '“{found}” is no number: write digits, or a variable in braces.',
    '„{found}” to nie liczba: wpisz cyfry albo zmienną w klamrach.',
    '«{found}» не число: введите цифры или переменную в фигурных скобках.',
  ],
  'FLOW-CURRENCY': [
    '“{found}” is no currency: write three letters, as PLN.',
    '„{found}” to nie waluta: wpisz trzy litery, np. PLN.',
    '«{found}» не валюта: введите три буквы, например PLN.',
  ],
  'FLOW-HOST': [
    'Scheme, host and port must be written out, with nothing to fill in.',
    'Protokół, host i port muszą być wpisane wprost, bez wstawek.',
    'Протокол, хост и порт должны быть написаны целиком, без подстановок.',
  ],
  'FLOW-HEADER': [
    '“{found}” can’t be a header: its name has letters, digits and -, its value one line.',
    '„{found}” nie może być nagłówkiem: nazwa z liter, cyfr i -, wartość w jednym wierszu.',
    '«{found}» не может быть заголовком: имя из букв, цифр и -, значение в одну строку.',
  ],
  'FLOW-RESERVED': [
    '{variable} can’t be set: choose a name that begins otherwise.',
    'Nie można ustawić {variable}: wybierz nazwę, która zaczyna się inaczej.',
    '{variable} нельзя задать: выберите имя с другим началом.',
  ],
  'FLOW-UNSET': [
    'Nothing gives {variable} a value: use another name, or set it.',
    'Nic nie nadaje wartości {variable}: użyj innej nazwy albo ją ustaw.',
    'Ничто не задаёт {variable}: возьмите другое имя или задайте значение.',
  ],
  'FLOW-SECRET': [
    '{variable} is a secret: only an HTTP node can use it, alone between braces, in its address, headers or body.',
    '{variable} jest tajne: może tego użyć tylko węzeł HTTP, samo w klamrach, w adresie, nagłówkach lub treści.',
    '{variable} — секрет: его может использовать только узел HTTP, один в скобках, в адресе, заголовках или тексте.',
  ],
  'FLOW-BREAKS': [
    'The flow “{flow}” leads here and would be wrong then: see its node {node}.',
    'Scenariusz „{flow}” tu prowadzi i stałby się błędny: zobacz jego węzeł {node}.',
    'Сценарий «{flow}» ведёт сюда и станет неверным: посмотрите его узел {node}.',
  ],
  'FLOW-SECRET-SET': [
    '{variable} is a secret elsewhere, and gets a plain value here: use two variables.',
    '{variable} gdzie indziej jest tajne, a tu dostaje jawną wartość: użyj dwóch zmiennych.',
    '{variable} в другом месте секрет, а здесь получает открытое значение: возьмите две переменные.',
  ],
})

/** Fields that are missing or wrong say it by what is wanted, which is English: shorter in the other languages. */
const ofField: Catalogue = sentences({
  'FLOW-MISSING': ['This is missing.', 'Tego brakuje.', 'Этого не хватает.'],
  'FLOW-FIELD': ['This can’t be so.', 'Tak być nie może.', 'Так быть не может.'],
  'FLOW-ONE-OF': [
    'Give exactly one of these: {wanted}.',
    'Podaj dokładnie jedno z: {wanted}.',
    'Укажите ровно одно из: {wanted}.',
  ],
})

const ofExpression: Catalogue = sentences({
  EMPTY: [
    'There is no expression: write one, as 1 or "text".',
    'Brak wyrażenia: wpisz je, np. 1 albo "tekst".',
    'Нет выражения: напишите, например 1 или "текст".',
  ],
  END: [
    'Column {column}: the expression ends where a value is missing.',
    'Kolumna {column}: wyrażenie się kończy, a brakuje wartości.',
    'Позиция {column}: выражение кончается, а значения не хватает.',
  ],
  VALUE: [
    'Column {column}: a value is missing before “{found}”.',
    'Kolumna {column}: przed „{found}” brakuje wartości.',
    'Позиция {column}: перед «{found}» не хватает значения.',
  ],
  REST: [
    'Column {column}: the expression is over before this; a sign is missing.',
    'Kolumna {column}: wyrażenie kończy się wcześniej; brakuje znaku.',
    'Позиция {column}: выражение кончилось раньше; не хватает знака.',
  ],
  'OPEN-TEXT': [
    'Column {column}: a text that isn’t closed: put {sign} at its end.',
    'Kolumna {column}: niezamknięty tekst: wstaw {sign} na końcu.',
    'Позиция {column}: текст не закрыт: поставьте {sign} в конце.',
  ],
  'OPEN-BRACE': [
    'Column {column}: a brace that isn’t closed.',
    'Kolumna {column}: niezamknięta klamra.',
    'Позиция {column}: фигурная скобка не закрыта.',
  ],
  'LONE-BRACE': [
    'Column {column}: a brace that closes nothing: write it twice.',
    'Kolumna {column}: klamra niczego nie zamyka: wpisz ją dwa razy.',
    'Позиция {column}: скобка ничего не закрывает: напишите её дважды.',
  ],
  'OPEN-PARENTHESIS': [
    'Column {column}: a parenthesis that isn’t closed.',
    'Kolumna {column}: niezamknięty nawias.',
    'Позиция {column}: скобка не закрыта.',
  ],
  'UNKNOWN-FUNCTION': [
    'Column {column}: there is no function {found}.',
    'Kolumna {column}: nie ma funkcji {found}.',
    'Позиция {column}: нет функции {found}.',
  ],
  ARGUMENTS: [
    'Column {column}: {function} takes {wanted} values in its parentheses, not {given}.',
    'Kolumna {column}: {function} przyjmuje w nawiasie wartości: {wanted}, a jest {given}.',
    'Позиция {column}: у {function} в скобках должно быть значений: {wanted}, а их {given}.',
  ],
  SIGN: [
    'Column {column}: “{found}” means nothing here: put a text in quotes.',
    'Kolumna {column}: „{found}” nic tu nie znaczy: tekst ujmij w cudzysłów.',
    'Позиция {column}: «{found}» здесь ничего не значит: возьмите текст в кавычки.',
  ],
  NUMBER: [
    'Column {column}: “{found}” is no number: write digits, or put it in quotes.',
    'Kolumna {column}: „{found}” to nie liczba: wpisz cyfry albo ujmij w cudzysłów.',
    'Позиция {column}: «{found}» не число: введите цифры или возьмите в кавычки.',
  ],
  CHAIN: [
    'Column {column}: a comparison has two sides: join two of them with “and”.',
    'Kolumna {column}: porównanie ma dwie strony: połącz dwa przez „and”.',
    'Позиция {column}: у сравнения две стороны: соедините два через «and».',
  ],
})

/** The sentence for a problem; null where only the centre's English one says it. */
export function explained(problem: Problem, language: string): Sentence | null {
  const of = (all: Catalogue, code: string) => (Object.hasOwn(all, code) ? all[code]! : null)
  const found =
    problem.code === 'FLOW-EXPRESSION'
      ? of(ofExpression, String(problem.values.reason))
      : (of(known, problem.code) ?? (language === 'en' ? null : of(ofField, problem.code)))
  // A value that is missing would be shown as a brace.
  return found && [...holes(found[0]).names].every((one) => one in problem.values) ? found : null
}
