"""Prompts that every centre needs, in the three languages. Flows name them {"sound": "builtin:NAME"}."""

from collections.abc import Mapping

PREFIX = "builtin:"
BEEP = "beep"
"A tone, computed."

PROMPTS: Mapping[str, Mapping[str, str]] = {
    "welcome": {
        "en": "Welcome.",
        "pl": "Dzień dobry.",
        "ru": "Здравствуйте.",
    },
    "please_hold": {
        "en": "Please hold the line.",
        "pl": "Proszę czekać na połączenie.",
        "ru": "Пожалуйста, оставайтесь на линии.",
    },
    "all_agents_busy": {
        "en": "All our agents are busy. Please hold the line: the next one who is free will take your call.",
        "pl": "Wszyscy nasi konsultanci są zajęci. Proszę czekać, połączymy z pierwszą wolną osobą.",
        "ru": "Все операторы заняты. Пожалуйста, оставайтесь на линии: вам ответит первый освободившийся.",
    },
    "invalid_choice": {
        "en": "Sorry, there is no such choice.",
        "pl": "Nie ma takiej opcji.",
        "ru": "Такого варианта нет.",
    },
    "no_input": {
        "en": "Sorry, we have not received your choice.",
        "pl": "Nie otrzymaliśmy odpowiedzi.",
        "ru": "Мы не получили ответа.",
    },
    "goodbye": {
        "en": "Thank you for calling. Goodbye.",
        "pl": "Dziękujemy za telefon. Do widzenia.",
        "ru": "Спасибо за звонок. До свидания.",
    },
    "leave_message": {
        "en": "Please leave a message after the tone. When you have finished, press the pound key or hang up.",
        "pl": "Proszę zostawić wiadomość po sygnale. Na koniec proszę nacisnąć krzyżyk lub odłożyć słuchawkę.",
        "ru": "Пожалуйста, оставьте сообщение после сигнала. В конце нажмите решётку или положите трубку.",
    },
    "message_saved": {
        "en": "Thank you. Your message has been saved.",
        "pl": "Dziękujemy. Wiadomość została nagrana.",
        "ru": "Спасибо. Ваше сообщение записано.",
    },
    "message_empty": {
        "en": "We have not heard a message.",
        "pl": "Nie nagrano wiadomości.",
        "ru": "Сообщение не записано.",
    },
    "callback_offer": {
        "en": "We can call you back. You keep your place in the queue, and may hang up. Your number ends in",
        "pl": "Możemy oddzwonić. Zachowają Państwo miejsce w kolejce i mogą się rozłączyć. Państwa numer kończy się na",
        "ru": "Мы можем вам перезвонить. Вы сохраните место в очереди и можете положить трубку. Ваш номер кончается на",
    },
    "callback_keys": {
        "en": "For a callback to this number, press 1. To give another number, press 2. To go on waiting, press star.",
        "pl": "Aby oddzwonić pod ten numer, proszę nacisnąć 1. Aby podać inny numer: 2. Aby czekać dalej: gwiazdkę.",
        "ru": "Чтобы мы перезвонили на этот номер, нажмите 1. Чтобы указать другой, нажмите 2. Чтобы ждать, нажмите"
        " звёздочку.",
    },
    "callback_withheld": {
        "en": "We can call you back. You keep your place in the queue, and may hang up.",
        "pl": "Możemy oddzwonić. Zachowają Państwo miejsce w kolejce i mogą się rozłączyć.",
        "ru": "Мы можем вам перезвонить. Вы сохраните место в очереди и можете положить трубку.",
    },
    "callback_enter": {
        "en": "Please enter the number where we can reach you, and press the pound key.",
        "pl": "Proszę wprowadzić numer, pod który mamy oddzwonić, i nacisnąć krzyżyk.",
        "ru": "Пожалуйста, введите номер, на который нам перезвонить, и нажмите решётку.",
    },
    "callback_wrong": {
        "en": "Sorry, we can't call this number.",
        "pl": "Niestety nie możemy zadzwonić pod ten numer.",
        "ru": "К сожалению, мы не можем позвонить на этот номер.",
    },
    "callback_said": {
        "en": "The number is",
        "pl": "Podany numer to",
        "ru": "Вы ввели номер",
    },
    "callback_confirm": {
        "en": "If that is right, press 1. To enter it again, press 2. To go on waiting, press star.",
        "pl": "Jeśli się zgadza, proszę nacisnąć 1. Aby wprowadzić go ponownie: 2. Aby czekać dalej: gwiazdkę.",
        "ru": "Если это верно, нажмите 1. Чтобы ввести его снова, нажмите 2. Чтобы ждать, нажмите звёздочку.",
    },
    "callback_when": {
        "en": "To be called when it is your turn, press 1. To choose a time, press 2. To go on waiting, press star.",
        "pl": "Aby oddzwonić, gdy przyjdzie Państwa kolej, proszę nacisnąć 1. Aby wybrać termin: 2. Aby czekać dalej:"
        " gwiazdkę.",
        "ru": "Чтобы мы перезвонили, когда подойдёт ваша очередь, нажмите 1. Чтобы выбрать время, нажмите 2."
        " Чтобы ждать, нажмите звёздочку.",
    },
    "callback_press_1": {
        "en": "Press 1 for",
        "pl": "Jeden:",
        "ru": "Нажмите 1:",
    },
    "callback_press_2": {
        "en": "Press 2 for",
        "pl": "Dwa:",
        "ru": "Нажмите 2:",
    },
    "callback_press_3": {
        "en": "Press 3 for",
        "pl": "Trzy:",
        "ru": "Нажмите 3:",
    },
    "callback_booked": {
        "en": "We will call you back when it is your turn.",
        "pl": "Oddzwonimy, gdy przyjdzie Państwa kolej.",
        "ru": "Мы перезвоним, когда подойдёт ваша очередь.",
    },
    "callback_booked_at": {
        "en": "We will call you back:",
        "pl": "Oddzwonimy:",
        "ru": "Мы перезвоним:",
    },
    "callback_failed": {
        "en": "We are sorry, we can't promise you a callback now.",
        "pl": "Przepraszamy, nie możemy teraz obiecać oddzwonienia.",
        "ru": "Приносим извинения, сейчас мы не можем обещать обратный звонок.",
    },
    "closed": {
        "en": "We are closed now. Please call again during our opening hours.",
        "pl": "Nasze biuro jest teraz nieczynne. Prosimy zadzwonić w godzinach pracy.",
        "ru": "Сейчас мы не работаем. Пожалуйста, позвоните в рабочее время.",
    },
    "technical_problem": {
        "en": "We are sorry, there is a technical problem. Please call again later.",
        "pl": "Przepraszamy, wystąpił problem techniczny. Prosimy zadzwonić później.",
        "ru": "Приносим извинения, возникла техническая неполадка. Пожалуйста, позвоните позже.",
    },
    "enter_number": {
        "en": "Please enter the number, and press the pound key.",
        "pl": "Proszę wprowadzić numer i nacisnąć krzyżyk.",
        "ru": "Пожалуйста, введите номер и нажмите решётку.",
    },
    "recording_notice": {
        "en": "This call may be recorded.",
        "pl": "Ta rozmowa może być nagrywana.",
        "ru": "Разговор может быть записан.",
    },
    "position": {
        "en": "Your position in the queue is",
        "pl": "Państwa miejsce w kolejce to",
        "ru": "Ваше место в очереди",
    },
    "estimated_wait": {
        "en": "The estimated wait is about",
        "pl": "Przewidywany czas oczekiwania:",
        "ru": "Примерное время ожидания:",
    },
    "waited": {
        "en": "waited",
        "pl": "czas oczekiwania:",
        "ru": "время ожидания:",
    },
    "wait_rose": {
        "en": "We are sorry, the wait has become longer.",
        "pl": "Przepraszamy, czas oczekiwania się wydłużył.",
        "ru": "Приносим извинения, время ожидания увеличилось.",
    },
}

NAMES: tuple[str, ...] = (*PROMPTS, BEEP)


def text(name: str, language: str) -> str | None:
    """In the language, else in English; None where there is no such prompt."""
    said = PROMPTS.get(name)
    if said is None:
        return None
    return said.get(language.partition("-")[0].lower()) or said["en"]


def language(name: str, wanted: str) -> str:
    """That in which `text` answers."""
    return wanted if wanted.partition("-")[0].lower() in PROMPTS.get(name, {}) else "en"
