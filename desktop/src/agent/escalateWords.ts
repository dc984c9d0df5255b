import { sentences } from '../i18n'

export const words = sentences({
  escalate: ['Escalate', 'Eskaluj', 'Эскалировать'],
  why: ['Why', 'Dlaczego', 'Почему'],
  whom: ['To whom', 'Do kogo', 'Кому'],
  usual: ['As the queue says', 'Jak w kolejce', 'Как в очереди'],
  tier: ['tier {n}', 'poziom {n}', 'уровень {n}'],
  may: ['May decide', 'Może zdecydować', 'Может решать'],
  knows: ['Knows', 'Zna się na', 'Знает'],
  opens: ['Can be asked from {time}.', 'Dostępny od {time}.', 'Доступен с {time}.'],
  closed: ['Can’t be asked now.', 'Teraz niedostępny.', 'Сейчас недоступен.'],
  nobody: ['There is nobody above you here.', 'Nie ma tu nikogo na wyższym poziomie.', 'Выше здесь никого нет.'],
  handed: ['From {agent}: {reason}', 'Od: {agent}. {reason}', 'От {agent}: {reason}'],
})
