import { defineActs } from '../app/keys'

export const acts = defineActs({
  answer: {
    key: 'F2',
    everywhere: true,
    title: ['Answer, or call a number', 'Odbierz albo zadzwoń', 'Ответить или позвонить'],
  },
  end: {
    key: 'Shift+F2',
    everywhere: true,
    title: ['End, or decline', 'Zakończ albo odrzuć', 'Завершить или отклонить'],
  },
  hold: {
    key: 'F4',
    everywhere: true,
    title: ['Hold, resume, swap', 'Zawieś, wznów, przełącz', 'Удержать, вернуться, переключить'],
  },
  state: {
    key: 'Shift+F4',
    everywhere: true,
    title: ['Ready, or list of pauses', 'Gotowość albo lista pauz', 'Готовность или список пауз'],
  },
  mute: {
    key: 'F8',
    everywhere: true,
    title: ['Mute; held down: while held', 'Wycisz; przytrzymane: na chwilę', 'Микрофон; удерживая: на время'],
  },
  transfer: { key: 'F9', everywhere: true, title: ['Transfer, hand over', 'Przekaż', 'Перевести, передать'] },
  join: {
    key: 'Shift+F9',
    everywhere: true,
    title: ['Join all, or leave', 'Połącz wszystkich albo wyjdź', 'Объединить или выйти'],
  },
  finish: {
    key: 'Ctrl+Enter',
    everywhere: true,
    title: ['Finish with this call', 'Zakończ pracę nad rozmową', 'Закончить со звонком'],
  },
  customers: { key: 'Slash', title: ['Find a customer', 'Znajdź klienta', 'Найти клиента'] },
})
