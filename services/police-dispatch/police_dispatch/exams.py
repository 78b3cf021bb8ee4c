"""The facts police-dispatch accepts about forensic examinations: that one happened or could not, never its findings."""

from typing import Literal

from qorgau.front.posted import Count, FactData, Reference, Timestamp, kinds

_CENTRE = kinds("forensic", "clinic")


class ExamRequested(FactData):
    """A police unit or crisis centre, when the survivor wants an examination."""

    type = "exam.requested"
    posted_by = kinds("police-unit", "crisis-centre")

    exam_id: Reference
    consent: Literal["given"]


class ExamDeclined(FactData):
    """A crisis centre, police unit or clinic, when the survivor does not want one."""

    type = "exam.declined"
    posted_by = kinds("crisis-centre", "police-unit", "clinic")

    exam_id: Reference | None = None


class ExamScheduled(FactData):
    """A forensic centre or clinic, when there is a date."""

    type = "exam.scheduled"
    posted_by = _CENTRE

    exam_id: Reference
    scheduled_for: Timestamp


class ExamBlocked(FactData):
    """A forensic centre or clinic, when the examination cannot take place."""

    type = "exam.blocked"
    posted_by = _CENTRE

    exam_id: Reference
    reason: Literal["movement_restrictions", "no_expert", "facility_closed", "transport"]


class EvidenceCollected(FactData):
    """A forensic centre or clinic, when evidence of sexual violence is safe."""

    type = "exam.evidence_collected"
    posted_by = _CENTRE

    exam_id: Reference


class ExamCompleted(FactData):
    """A forensic centre or clinic, when the examination is done."""

    type = "exam.completed"
    posted_by = _CENTRE

    exam_id: Reference


class AltDocumented(FactData):
    """A clinic, shelter or forensic centre, when injuries are on record in another form; it is no examination."""

    type = "exam.alt_documented"
    posted_by = kinds("clinic", "shelter", "forensic")

    exam_id: Reference | None = None


class ExamCapacity(FactData):
    """A forensic centre or clinic, when it says how many doctors are on duty and whether it can be reached."""

    type = "exam.capacity_reported"
    posted_by = _CENTRE
    context = True

    on_duty: Count
    reachable: bool


class ReportIssued(FactData):
    """The forensic centre, when the expert's report is out."""

    type = "exam.report_issued"
    posted_by = kinds("forensic")

    exam_id: Reference


EXAM_FACTS: tuple[type[FactData], ...] = (
    ExamRequested,
    ExamDeclined,
    ExamScheduled,
    ExamBlocked,
    EvidenceCollected,
    ExamCompleted,
    AltDocumented,
    ExamCapacity,
    ReportIssued,
)
