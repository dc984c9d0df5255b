/** Why something isn't possible just now: the codes of `centrala/web/refusals.py`. */
import { sentences } from './index'

export const refusals = sentences({
  'CALL-ASKED': ['This call was asked for already.', 'To połączenie już zlecono.', 'Этот звонок уже заказан.'],
  'NO-AGENT': [
    'You are no agent of this centre: calls are made from an agent’s phone.',
    'Nie masz tu roli konsultanta: dzwoni się z telefonu konsultanta.',
    'Вы не оператор этого контакт-центра: звонят с телефона оператора.',
  ],
  'PHONE-LOST': [
    'Your phone can’t be reached: connect it first.',
    'Telefon jest nieosiągalny: najpierw go połącz.',
    'Ваш телефон недоступен: сначала подключите его.',
  ],
  'IN-CALL': ['You are in a call already.', 'Trwa już rozmowa.', 'Вы уже в разговоре.'],
  RINGS: [
    'Your phone rings: answer or decline that call first.',
    'Telefon dzwoni: najpierw odbierz lub odrzuć to połączenie.',
    'Телефон звонит: сначала ответьте или отклоните звонок.',
  ],
  'NUMBER-NOWHERE': ['This number leads nowhere.', 'Ten numer donikąd nie prowadzi.', 'Этот номер никуда не ведёт.'],
  'NO-CALLS': ['Nobody can be called from here.', 'Stąd nie można dzwonić.', 'Отсюда нельзя позвонить.'],
  'NO-NUMBER': [
    'This customer has no telephone number.',
    'Ten klient nie ma numeru telefonu.',
    'У этого клиента нет номера телефона.',
  ],
  'NOT-WAITING': ['They don’t wait any more.', 'Ta osoba już nie czeka.', 'Этот клиент уже не ждёт.'],
  'NO-QUEUE': ['There is no such queue.', 'Nie ma takiej kolejki.', 'Такой очереди нет.'],
  'SAME-QUEUE': [
    'They wait in this queue already.',
    'Ta osoba już czeka w tej kolejce.',
    'Этот клиент уже ждёт в этой очереди.',
  ],
  'QUEUE-CLOSED': ['This queue is closed now.', 'Ta kolejka jest teraz zamknięta.', 'Эта очередь сейчас закрыта.'],
  'NO-CONVERSATION': ['You have no conversation now.', 'Teraz nie ma rozmowy.', 'Сейчас у вас нет разговора.'],
  'NOT-IN-IT': ['You are not in this conversation.', 'Nie bierzesz udziału w tej rozmowie.', 'Вы не в этом разговоре.'],
  'NOT-YOURS': [
    'This is not your conversation: only its owner can do that.',
    'To nie Twoja rozmowa: może to zrobić tylko prowadzący.',
    'Это не ваш разговор: так может только тот, кто его ведёт.',
  ],
  'PHONE-HOLDS': [
    'Your phone holds the call itself: take it off hold there first.',
    'Połączenie zawiesił sam telefon: najpierw wznów je tam.',
    'Звонок удерживает сам телефон: сначала снимите удержание там.',
  ],
  ALONE: [
    'There is nobody else in this conversation.',
    'W tej rozmowie nie ma nikogo więcej.',
    'В этом разговоре больше никого нет.',
  ],
  'TARGET-UNKNOWN': [
    'There is no such number, agent or queue.',
    'Nie ma takiego numeru, konsultanta ani kolejki.',
    'Нет такого номера, оператора или очереди.',
  ],
  'TARGET-LOST': [
    'Their phone can’t be reached.',
    'Telefon tej osoby jest nieosiągalny.',
    'Телефон коллеги недоступен.',
  ],
  'TARGET-BUSY': ['They are in a call.', 'Ta osoba rozmawia.', 'Коллега в разговоре.'],
  'TARGET-CLOSED': ['No call can go there.', 'Tam nie można przekazać połączenia.', 'Туда звонок передать нельзя.'],
  'QUEUE-BUSY': [
    'Nobody of that queue is free.',
    'W tej kolejce nikt nie jest wolny.',
    'В этой очереди никто не свободен.',
  ],
  'NOT-ANSWERED': ['Nobody has answered yet.', 'Jeszcze nikt nie odebrał.', 'Ещё никто не ответил.'],
  'ON-HOLD': [
    'The customer is on hold already.',
    'Rozmowa z klientem jest już zawieszona.',
    'Клиент уже на удержании.',
  ],
  'NOT-ON-HOLD': ['The customer is not on hold.', 'Rozmowa z klientem nie jest zawieszona.', 'Клиент не на удержании.'],
  'LEFT-ALONE': [
    'The customer would be left alone: hand over, or hang up.',
    'Klient zostałby bez rozmówcy: przekaż rozmowę lub ją zakończ.',
    'Клиент остался бы один: передайте звонок или завершите его.',
  ],
  ASKING: [
    'You are asking somebody: complete or end that first.',
    'Trwa konsultacja: najpierw ją dokończ lub zakończ.',
    'Идёт консультация: сначала завершите её.',
  ],
  'NOT-ASKING': ['You are asking nobody.', 'Nie trwa żadna konsultacja.', 'Консультации сейчас нет.'],
  'OTHERS-IN-IT': [
    'Others are in the conversation: leave it instead.',
    'W rozmowie są inni: wyjdź z niej zamiast kończyć.',
    'В разговоре есть другие: выйдите из него.',
  ],
  'THEY-NOT-IN-IT': [
    'They are not in this conversation.',
    'Tej osoby nie ma w rozmowie.',
    'Этого участника нет в разговоре.',
  ],
  'NOBODY-HEARS': [
    'Nobody is there who could hear the digits.',
    'Nie ma nikogo, kto usłyszałby cyfry.',
    'Некому услышать цифры.',
  ],
  'SUPERVISOR-STAYS': [
    'A supervisor leaves by themselves.',
    'Przełożony wychodzi z rozmowy samodzielnie.',
    'Супервизор выходит из разговора самостоятельно.',
  ],
  'NOBODY-TALKS': [
    'Nobody talks in this contact.',
    'W tym kontakcie nikt nie rozmawia.',
    'В этом контакте никто не говорит.',
  ],
  'NO-PHONE': [
    'You have no phone here: sign in as an agent, too.',
    'Nie masz tu telefonu: zaloguj się też jako konsultant.',
    'У вас здесь нет телефона: войдите и как оператор.',
  ],
  'IN-IT': [
    'You take part in this conversation.',
    'Bierzesz udział w tej rozmowie.',
    'Вы участвуете в этом разговоре.',
  ],
  'NO-SUCH-AGENT': ['There is no such agent.', 'Nie ma takiego konsultanta.', 'Такого оператора нет.'],
  'LENT-BOTH': [
    'An agent can’t be lent to a queue and taken out of it.',
    'Nie można jednocześnie dodać kolejki i jej odjąć.',
    'Нельзя сразу и добавить очередь, и снять её.',
  ],
  'SIGNED-IN': ['Signed in already.', 'Logowanie już nastąpiło.', 'Вход уже выполнен.'],
  'SIGNED-OUT-OF-QUEUES': ['Signed out of the queues.', 'Wylogowanie z kolejek.', 'Вне очередей.'],
  'NOT-IN-WRAP-UP': [
    'There is no after-call work now.',
    'Teraz nie ma pracy po rozmowie.',
    'Сейчас нет постобработки.',
  ],
  EXTENSION: [
    'After-call work is extended by 1 second to 1 hour.',
    'Pracę po rozmowie przedłuża się o 1 sekundę do 1 godziny.',
    'Постобработку продлевают на срок от 1 секунды до 1 часа.',
  ],
  'RESULT-MISSING': ['A result is needed first.', 'Najpierw potrzebny jest wynik.', 'Сначала нужен результат.'],
  'RESULT-UNKNOWN': [
    'This queue has no such result.',
    'Ta kolejka nie ma takiego wyniku.',
    'В этой очереди нет такого результата.',
  ],
  'NOT-MINE': [
    'The contact isn’t yours, or it is over.',
    'To nie Twój kontakt albo już się skończył.',
    'Это не ваш контакт, или он завершён.',
  ],
  'OFFER-OVER': ['The call rings no longer.', 'Połączenie już nie dzwoni.', 'Звонок уже не звонит.'],
  'CALL-OVER': ['The call is over.', 'Połączenie się skończyło.', 'Звонок завершён.'],
  REFUSED: ['That wasn’t possible: {detail}', 'To nie było możliwe: {detail}', 'Это не удалось: {detail}'],
})
