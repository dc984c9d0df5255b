/** Words and keys of what agents do with a conversation beside talking. */
import { defineActs } from '../app/keys'
import { sentences } from '../i18n'

export const acts = defineActs({
  message: {
    key: 'Ctrl+F2',
    everywhere: true,
    title: ['Play the message, or stop', 'Odtwórz wiadomość albo zatrzymaj', 'Прослушать сообщение или остановить'],
  },
  record: {
    key: 'Ctrl+F8',
    everywhere: true,
    title: ['Record, or end the recording', 'Nagrywaj albo zakończ nagranie', 'Записать или закончить запись'],
  },
  pauseRecording: {
    key: 'Shift+F8',
    everywhere: true,
    title: ['Pause the recording, or go on', 'Wstrzymaj nagranie albo wznów', 'Приостановить запись или продолжить'],
  },
  step: {
    key: 'Ctrl+F9',
    everywhere: true,
    title: [
      'Take a payment, or bring the customer back',
      'Przyjmij płatność albo przywołaj klienta',
      'Принять оплату или вернуть клиента',
    ],
  },
})

export const words = sentences({
  message: ['Message of the customer', 'Wiadomość klienta', 'Сообщение клиента'],
  about: ['Recording and steps', 'Nagranie i kroki', 'Запись и шаги'],
  recorded: ['Recording', 'Nagrywanie', 'Идёт запись'],
  pausedAsked: ['Recording paused', 'Nagranie wstrzymane', 'Запись приостановлена'],
  pausedStep: ['Not recorded during this step', 'Ten krok nie jest nagrywany', 'Этот шаг не записывается'],
  goesOnIn: ['goes on in', 'wznowi się za', 'продолжится через'],
  record: ['Record', 'Nagrywaj', 'Записать'],
  recordEnd: ['End recording', 'Zakończ nagranie', 'Закончить запись'],
  pauseRecording: ['Pause recording', 'Wstrzymaj nagranie', 'Приостановить запись'],
  resumeRecording: ['Resume recording', 'Wznów nagranie', 'Продолжить запись'],
  takePayment: ['Take payment', 'Przyjmij płatność', 'Принять оплату'],
  payment: ['Payment', 'Płatność', 'Оплата'],
  bringBack: ['Bring the customer back', 'Przywołaj klienta', 'Вернуть клиента'],
  inStep: ['The customer is in: {step}', 'Klient jest w kroku: {step}', 'Клиент проходит шаг: {step}'],
})
