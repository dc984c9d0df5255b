/** Problems of the API and of this page: what happened, what we or you do. */
import type { ApiProblem } from '../api/client'
import { type Catalogue, sentences } from './index'

export const problems = sentences({
  'NET-LOST': [
    'The centre didn’t answer. Nothing was lost: try again.',
    'Centrum nie odpowiedziało. Nic nie zginęło: spróbuj ponownie.',
    'Контакт-центр не ответил. Ничего не потеряно: повторите.',
  ],
  'BAD-INPUT': [
    'Some of what was entered can’t be taken: check the marked fields.',
    'Część wpisanych danych jest niepoprawna: sprawdź zaznaczone pola.',
    'Часть введённого не подходит: проверьте отмеченные поля.',
  ],
  'BAD-CURSOR': [
    'This page of the list is out of date: open it anew.',
    'Ta strona listy jest nieaktualna: otwórz ją ponownie.',
    'Эта страница списка устарела: откройте заново.',
  ],
  'SIGNED-OUT': [
    'The session is over: sign in again.',
    'Sesja się skończyła: zaloguj się ponownie.',
    'Сеанс завершён: войдите снова.',
  ],
  'SIGN-IN-WRONG': ['Name or password is wrong.', 'Nazwa lub hasło jest błędne.', 'Неверное имя или пароль.'],
  'CODE-NEEDED': [
    'Enter the code of your authenticator.',
    'Wpisz kod z aplikacji uwierzytelniającej.',
    'Введите код из приложения-аутентификатора.',
  ],
  'CODE-WRONG': [
    'This code is wrong or was used.',
    'Ten kod jest błędny lub już użyty.',
    'Код неверен или уже использован.',
  ],
  'PASSWORD-NEEDED': [
    'You signed in a while ago: say your password first.',
    'Od zalogowania minęło trochę czasu: najpierw podaj hasło.',
    'Вход был давно: сначала введите пароль.',
  ],
  'PASSWORD-WRONG': ['The password is wrong.', 'Hasło jest błędne.', 'Пароль неверен.'],
  'PASSWORD-WEAK': [
    'This password is too easy to guess: take a longer one.',
    'To hasło zbyt łatwo odgadnąć: wybierz dłuższe.',
    'Пароль слишком легко угадать: возьмите длиннее.',
  ],
  'NAME-TAKEN': ['This name is taken.', 'Ta nazwa jest zajęta.', 'Это имя занято.'],
  'TOO-MANY': ['There are too many of these.', 'Jest ich zbyt wiele.', 'Их слишком много.'],
  'SIGN-IN-SLOW': [
    'Too many tries. Wait {seconds, plural, one {# second} other {# seconds}}.',
    'Zbyt wiele prób. Odczekaj {seconds, plural, one {# sekundę} few {# sekundy} many {# sekund} other {# sekundy}}.',
    'Слишком много попыток. Подождите {seconds, plural, one {# секунду} few {# секунды} many {# секунд} other {# секунды}}.',
  ],
  BUSY: [
    'The centre is busy: try again in a moment.',
    'Centrum jest zajęte: spróbuj za chwilę.',
    'Контакт-центр занят: повторите через мгновение.',
  ],
  'REQUEST-WRONG': [
    'This can’t be asked for: check the days, the shift and the colleague. Only days to come can be asked for.',
    'O to nie można prosić: sprawdź dni, zmianę i osobę. Prosić można tylko o przyszłe dni.',
    'Об этом нельзя попросить: проверьте дни, смену и коллегу. Просить можно только о будущих днях.',
  ],
  'REQUEST-THERE': ['You have asked for this already.', 'Już o to poproszono.', 'Вы об этом уже просили.'],
  'REQUEST-OVER': [
    'Somebody has decided or taken this back meanwhile: look again.',
    'Ktoś już to rozstrzygnął lub wycofał: spójrz ponownie.',
    'Это уже решено или отозвано: посмотрите ещё раз.',
  ],
  'NOT-ALLOWED': [
    'Your roles don’t allow this.',
    'Role użytkownika na to nie pozwalają.',
    'Ваши роли этого не разрешают.',
  ],
  'SESSION-NEEDED': [
    'Sign in as a person for this.',
    'Do tego trzeba zalogować się osobiście.',
    'Для этого войдите лично.',
  ],
  'CROSS-SITE': [
    'The request came from another site and was refused.',
    'Żądanie przyszło z innej strony i zostało odrzucone.',
    'Запрос пришёл с другого сайта и отклонён.',
  ],
  'NOT-FOUND': [
    'There is nothing here, or nothing that you may see.',
    'Nic tu nie ma albo nie wolno tego zobaczyć.',
    'Здесь ничего нет, или вам это не видно.',
  ],
  'NO-AGENT': [
    'Your account acts as an agent that the centre doesn’t have: ask your administrator.',
    'Konto wskazuje konsultanta, którego nie ma w centrum: proszę zapytać administratora.',
    'Учётная запись указывает оператора, которого нет: обратитесь к администратору.',
  ],
  METHOD: ['This can’t be done here.', 'Tutaj nie można tego zrobić.', 'Здесь это невозможно.'],
  'AGENT-REFUSED': [
    'This can’t be done now: {detail}',
    'Teraz to niemożliwe: {detail}',
    'Сейчас это невозможно: {detail}',
  ],
  'KEY-REUSED': [
    'This was sent before with other content: try again.',
    'To już wysłano z inną treścią: spróbuj ponownie.',
    'Это уже отправляли с другим содержимым: повторите.',
  ],
  'TOO-BIG': ['This is too big.', 'To jest za duże.', 'Это слишком велико.'],
  RANGE: ['The recording is shorter than that.', 'Nagranie jest krótsze.', 'Запись короче.'],
  'LEDGER-DOWN': [
    'The centre can’t write this down just now: try again in a moment.',
    'Centrum nie może teraz tego zapisać: spróbuj za chwilę.',
    'Контакт-центр сейчас не может это записать: повторите через мгновение.',
  ],
  'EDIT-RACE': [
    'Somebody changed this at the same time.',
    'Ktoś zmienił to w tej samej chwili.',
    'Это одновременно изменил кто-то другой.',
  ],
  MERGED: ['This card was joined with another one.', 'Tę kartę połączono z inną.', 'Эту карточку объединили с другой.'],
  'NO-UNDO': [
    'Later changes stand on this one: it can’t be undone.',
    'Późniejsze zmiany na tym polegają: nie można cofnąć.',
    'На этом основаны более поздние изменения: отменить нельзя.',
  ],
  'PASSWORD-TEMPORARY': [
    'This password is a temporary one: choose your own first.',
    'To hasło jest tymczasowe: najpierw ustaw własne.',
    'Этот пароль временный: сначала задайте свой.',
  ],
  'LAST-ADMINISTRATOR': [
    'Nobody would be left who may do this: make another administrator first.',
    'Nie zostałby nikt, kto może to robić: najpierw dodaj drugiego administratora.',
    'Не осталось бы никого с этим правом: сначала добавьте другого администратора.',
  ],
  'IN-USE': ['This is in use: {detail}', 'To jest w użyciu: {detail}', 'Это используется: {detail}'],
  'SETTINGS-WRONG': [
    'These settings don’t fit together: {detail}',
    'Te ustawienia do siebie nie pasują: {detail}',
    'Эти настройки не сочетаются: {detail}',
  ],
  'SOUND-WRONG': [
    'This sound can’t be taken: {detail}',
    'Tego dźwięku nie można przyjąć: {detail}',
    'Этот звук не подходит: {detail}',
  ],
  INTERNAL: [
    'A fault of Centrala itself; its log tells more. Nothing of yours was changed.',
    'Błąd samej Centrali; więcej w jej dzienniku. Niczego nie zmieniono.',
    'Ошибка самой Centrala; подробности в её журнале. Ничего не изменено.',
  ],
  OTHER: [
    'This didn’t work ({code}): {detail}',
    'To się nie udało ({code}): {detail}',
    'Не получилось ({code}): {detail}',
  ],
})

const more: Catalogue[] = []

/** An area's own sentences for codes that only its routes answer with. */
let refusals: Catalogue = {}

/** The sentences of refusals come with the first one: most shifts see none. */
export async function withRefusals(): Promise<void> {
  refusals = (await import('./refusals')).refusals
}

export function moreProblems(all: Catalogue): void {
  more.push(all)
}

/** The sentence and its values for a problem of the API. */
export function problemSentence(problem: ApiProblem) {
  const values = { code: problem.code, detail: problem.message, seconds: problem.retryAfter ?? 1 }
  if (problem.code === 'AGENT-REFUSED') {
    return { sentence: refusals[String(problem.body.reason)] ?? refusals.REFUSED ?? problems.OTHER, values }
  }
  for (const all of [...more, problems as Catalogue]) {
    const found = all[problem.code]
    if (found) return { sentence: found, values }
  }
  return { sentence: problems.OTHER, values }
}
