"""What the `centrala customers` command does. Works while the centre runs; raises ValueError with a sentence."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from centrala.customers.importing import import_customers
from centrala.customers.service import open_customers


def imported(data: Path, tenant: str, file: Path, country: str | None) -> Iterator[str]:
    """Import a CSV file; gives sentences to print. `country` is ISO 3166: whose national numbers are meant."""
    if country is not None:
        country = country.upper()
        if country not in SUPPORTED_REGIONS:
            raise ValueError(f"--country {country}: write it as in ISO 3166, like PL.")
    if not tenant or len(tenant) > 64:
        raise ValueError("--tenant: an id from the centre's file is expected.")
    with closing(open_customers(data, lambda _: country)) as customers:
        try:
            report = import_customers(customers, tenant, file)
        except OSError as problem:
            raise ValueError(f"{file} can't be read ({problem.strerror}).") from None
    for line, sentence in report.bad:
        yield f"line {line}: not taken: {sentence}"
    for line, sentence in report.doubtful:
        yield f"line {line}: taken: {sentence}"
    yield (
        f"new customers: {report.added}, new companies: {report.companies}, there already: {report.same},"
        f" not taken: {len(report.bad)}"
    )
