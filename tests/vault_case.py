"""A case of the vault to test with: a report of canaries and what opens with it, who reads, and the trace of it."""

from typing import Any

from intake.vault.access import Reader
from intake.vault.blind import IndexKeys, traces
from intake.vault.form import Personal, split
from intake.vault.keys import Wrapped
from intake.vault.packing import pack
from intake.vault.records import CaseKey, Report, VaultRecord, opened
from qorgau.facts import Fact

NOW = 1_775_000_000_000_000
CENTRE, POLICE = "crisis-centre/KZ-75", "police-unit/KZ-75-03"
DATA_KEY = bytes(range(32))
KEY = CaseKey("d1", Wrapped("k1", b"wrapped canary key"))
INDEXES = IndexKeys("i1", {"i1": bytes(32)})
FORM: dict[str, Any] = {
    "survivor": {
        "name": "Canary Aigul",
        "iin": "860412400123",
        "phone": "+77011234567",
        "safe_contact": {"code_word": "canaryword"},
        "address": {"settlement": "Canaryville", "street": "Canary", "building": "1"},
    },
    "alleged_offender": {"iin": "000000000101"},
    "caller": {"phone": "+77070000000"},
    "narrative": "canary narrative",
    "risk": {"tool": "dash", "answers": {"q1": "yes"}},
    "consents": {POLICE: "given"},
    "legal_bases": {"102/KZ-75": "vital_interest"},
}
FACT = Fact("r1", CENTRE, "report.received", NOW, NOW, "c1", {"region": "KZ-75", "report_id": "r1"})


def told(form: dict[str, Any] = FORM) -> Personal:
    personal = split(form).personal
    assert personal is not None
    return personal


def reader(agency: str = POLICE, subject: str = "desk-1") -> Reader:
    return Reader(agency, subject, frozenset({"pii:read"}))


def report(name: str = "r1", source: str = CENTRE, personal: Personal | None = None) -> Report:
    personal = told() if personal is None else personal
    fields = pack("c1", name, personal, DATA_KEY, "d1")
    return Report(name, source, NOW, "i1:body:x", fields, traces(personal, INDEXES), {"region": "KZ-75"})


def new_record() -> VaultRecord:
    return opened("c1", report(), [FACT], KEY, told(), NOW)


def actions(record: VaultRecord) -> list[str]:
    return [line.action for line in record.audit]
