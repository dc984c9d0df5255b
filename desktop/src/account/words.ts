import { sentences } from '../i18n'

export const words = sentences({
  signedInAs: ['You sign in as {name}.', 'Logujesz się jako {name}.', 'Вы входите как {name}.'],

  password: ['Password', 'Hasło', 'Пароль'],
  passwordWhy: [
    'A new password signs you out everywhere else.',
    'Nowe hasło wylogowuje wszędzie indziej.',
    'Новый пароль завершает остальные сеансы.',
  ],
  old: ['Present password', 'Obecne hasło', 'Текущий пароль'],
  fresh: [
    'New password (10 characters or more)',
    'Nowe hasło (co najmniej 10 znaków)',
    'Новый пароль (не менее 10 знаков)',
  ],
  short: ['At least 10 characters.', 'Co najmniej 10 znaków.', 'Не менее 10 знаков.'],
  change: ['Change the password', 'Zmień hasło', 'Сменить пароль'],
  changed: ['The password is changed.', 'Hasło zmieniono.', 'Пароль изменён.'],
  mustChange: ['Choose your own password', 'Wybierz własne hasło', 'Задайте свой пароль'],
  mustChangeWhy: [
    'The one you were given was temporary. Whoever gave it to you can’t use it afterwards.',
    'Otrzymane hasło było tymczasowe. Potem nikt już go nie użyje.',
    'Выданный пароль был временным. После этого им никто не сможет воспользоваться.',
  ],

  totp: ['Authenticator', 'Aplikacja uwierzytelniająca', 'Приложение-аутентификатор'],
  totpWhy: [
    'A code of six digits from your telephone, asked for beside the password.',
    'Sześciocyfrowy kod z telefonu, wymagany obok hasła.',
    'Шестизначный код с телефона, вместе с паролем.',
  ],
  totpOn: ['It is on.', 'Włączona.', 'Включён.'],
  totpOff: ['It is off.', 'Wyłączona.', 'Выключен.'],
  setUp: ['Set up', 'Skonfiguruj', 'Настроить'],
  scan: [
    'Scan this with the app, or type the secret into it.',
    'Zeskanuj to aplikacją albo wpisz w niej sekret.',
    'Отсканируйте приложением или введите в него секрет.',
  ],
  secret: ['Secret', 'Sekret', 'Секрет'],
  code: ['The code that it shows now', 'Kod, który teraz pokazuje', 'Код, который оно показывает'],
  switchOn: ['Switch on', 'Włącz', 'Включить'],
  switchOff: ['Switch off', 'Wyłącz', 'Выключить'],
  offPassword: ['Your password, to switch it off', 'Hasło, aby wyłączyć', 'Пароль, чтобы выключить'],

  passkeys: ['Passkeys', 'Klucze dostępu', 'Ключи доступа'],
  passkeysWhy: [
    'Sign in with fingerprint, face or PIN of this device, in place of the password.',
    'Logowanie odciskiem, twarzą lub PIN-em urządzenia zamiast hasła.',
    'Вход по отпечатку, лицу или PIN-коду устройства вместо пароля.',
  ],
  passkeyHost: [
    'Passkeys need the centre’s name in the address, not digits.',
    'Klucze wymagają nazwy centrum w adresie, nie samych cyfr.',
    'Для ключей нужен адрес с именем, а не цифры.',
  ],
  passkeyBrowser: ['This browser can’t do it.', 'Ta przeglądarka tego nie umie.', 'Этот браузер так не умеет.'],
  passkeyAdd: ['Add a passkey', 'Dodaj klucz dostępu', 'Добавить ключ доступа'],
  passkeyPassword: ['Your password, to add it', 'Hasło, aby dodać', 'Пароль, чтобы добавить'],
  endTokens: [
    'Tokens of my programs stop working too',
    'Tokeny moich programów też przestają działać',
    'Токены моих программ тоже перестают действовать',
  ],
  passkeyName: ['Name of this device', 'Nazwa tego urządzenia', 'Название этого устройства'],
  passkeyRefused: [
    'The device made no passkey: it was cancelled, or it has none to give.',
    'Urządzenie nie utworzyło klucza: przerwano albo nie może.',
    'Устройство не создало ключ: отменено или невозможно.',
  ],
  used: ['Last used {at}', 'Ostatnio użyty {at}', 'Использован {at}'],
  unused: ['Not used yet', 'Jeszcze nieużyty', 'Ещё не использован'],
  remove: ['Remove {name}', 'Usuń: {name}', 'Удалить: {name}'],
  removeWord: ['Remove', 'Usuń', 'Удалить'],

  sessions: ['Where you are signed in', 'Gdzie trwa sesja', 'Где выполнен вход'],
  here: ['this browser', 'ta przeglądarka', 'этот браузер'],
  since: ['since {at}, last seen {seen}', 'od {at}, ostatnio {seen}', 'с {at}, был здесь {seen}'],
  endOthers: ['Sign out everywhere else', 'Wyloguj wszędzie indziej', 'Выйти во всех остальных'],
  ended: ['Signed out everywhere else.', 'Wylogowano wszędzie indziej.', 'Выход везде, кроме этого.'],

  tokens: ['Tokens for programs', 'Tokeny dla programów', 'Токены для программ'],
  tokensWhy: [
    'A program with your token acts as you, or with less.',
    'Program z tokenem działa jako Ty albo z mniejszymi prawami.',
    'Программа с токеном действует от вашего имени или с меньшими правами.',
  ],
  tokenLabel: ['What it is for', 'Do czego służy', 'Для чего'],
  tokenDays: ['Days it lasts (empty: for ever)', 'Ile dni (puste: bez końca)', 'На сколько дней (пусто: навсегда)'],
  tokenRights: ['What it may do', 'Co może', 'Что может'],
  tokenAll: ['all that I may', 'wszystko, co ja', 'всё, что я'],
  tokenMake: ['Make a token', 'Utwórz token', 'Создать токен'],
  tokenOnce: [
    'Copy it now; it isn’t shown again.',
    'Skopiuj teraz; więcej się nie pokaże.',
    'Скопируйте сейчас; больше не показывается.',
  ],
  until: ['until {at}', 'do {at}', 'до {at}'],
  forEver: ['for ever', 'bez końca', 'навсегда'],
  needed: ['This is needed.', 'To jest wymagane.', 'Это обязательно.'],

  letters: ['One-letter keys outside fields', 'Skróty jednoliterowe poza polami', 'Однобуквенные клавиши вне полей'],
})
