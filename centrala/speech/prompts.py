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
