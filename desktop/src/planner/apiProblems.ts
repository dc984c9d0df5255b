/** Problems that only the routes of plans answer with. */
import { sentences } from '../i18n'
import { moreProblems } from '../i18n/problems'

moreProblems(
  sentences({
    'PLAN-CHANGED': [
      'Somebody changed this meanwhile: look again, then change it.',
      'Ktoś to w międzyczasie zmienił: spójrz ponownie i dopiero zmień.',
      'Это тем временем изменили: посмотрите ещё раз, потом меняйте.',
    ],
    'PLAN-STATE': [
      'This can’t be done with a plan in this state: {detail}',
      'Nie można tego zrobić z planem w tym stanie: {detail}',
      'С планом в этом состоянии так нельзя: {detail}',
    ],
    'PLAN-INPUT': [
      'This can’t be planned: {detail}',
      'Tego nie można zaplanować: {detail}',
      'Это нельзя запланировать: {detail}',
    ],
    'PLAN-NOBODY': [
      'Nobody with a contract serves these queues: see to people and their hours first.',
      'Nikt z umową nie obsługuje tych kolejek: najpierw uzupełnij osoby i ich godziny.',
      'Никто с договором не обслуживает эти очереди: сначала укажите людей и их часы.',
    ],
    'PLAN-BREAKS-RULE': [
      'This breaks rules that weren’t broken before.',
      'To łamie reguły, które dotąd nie były złamane.',
      'Это нарушает правила, которые прежде не нарушались.',
    ],
    'WORKFORCE-MISSING': [
      'Plans can’t be reckoned here: an administrator has to run pip install ‘centrala[workforce]’ first.',
      'Tu nie da się liczyć planów: administrator musi najpierw wykonać pip install ‘centrala[workforce]’.',
      'Здесь нельзя рассчитать план: администратор должен сначала выполнить pip install ‘centrala[workforce]’.',
    ],
    'PLANNER-DOWN': [
      'The reckoning of plans failed: try again. Nothing was changed.',
      'Obliczenie planu się nie udało: spróbuj ponownie. Niczego nie zmieniono.',
      'Расчёт плана не удался: повторите. Ничего не изменено.',
    ],
  }),
)
