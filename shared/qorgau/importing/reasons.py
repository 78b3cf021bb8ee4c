"""The words of a report of an import: why something was not used, what was decided, what was left out and why."""

from collections.abc import Mapping

# Why a row or a message became no fact, or not only facts that can be used. docs/import.md says what to do about each.
REASONS: Mapping[str, str] = {
    "not_selected": "the map says that this kind is not imported",
    "repeated": "an earlier one has the same number, and this one says nothing new",
    "no_fact": "it says nothing that is a fact here",
    "category_unknown": "neither the standard nor the map says what this kind is",
    "priority_unknown": "neither the standard nor the map says what this priority is",
    "area_unknown": "the map does not say whether this is urban or rural",
    "region_unknown": "the map does not say which region this is",
    "court_unknown": "the map does not say which court this is",
    "arrest_unknown": "the map does not say whether arrest is possible",
    "state_unknown": "neither the standard nor the map says what this state of a hearing is",
    "decision_unknown": "the map does not say which sanction this is",
    "operation_unknown": "this is neither an addition nor a change nor a deletion",
    "number_missing": "there is no number of the incident or case",
    "hearing_missing": "there is no number of the hearing",
    "start_missing": "there is no time at which the call was received",
    "time_missing": "a time that is needed is not there",
    "time_unreadable": "a time is in none of the forms expected",
    "text_unreadable": "a text that is needed is not text",
    "columns_differ": "the row has more or fewer cells than the header",
    "row_unreadable": "the row is not well-formed CSV",
    "message_unreadable": "the message is not well-formed JSON or XML",
    "message_unknown": "the message is not one of this standard",
    "message_too_large": "the message is larger than is read",
    "message_too_deep": "the message is nested deeper than is read",
    "entities_refused": "the message declares a document type or entities, which are not read",
    "name_repeated": "a name stands twice in one object",
    "number_refused": "a number is none (NaN, Infinity) or longer than any number is",
    "type_wrong": "a value is of another type than the standard says",
    "refused": "the service refused a fact of it",
}
# These are as they should be; every other reason is something wrong with the row, the message or the map.
EXPECTED = frozenset({"not_selected", "repeated", "no_fact"})

# What was decided about a row or a message that was used.
NOTES: Mapping[str, str] = {
    "no_arrival": "a case without an arrival",
    "arrived_before_dispatched": "the arrival is dated before the dispatch",
    "arrived_before_start": "the arrival is dated before the call: it ends no deadline",
    "dispatched_before_start": "the dispatch is dated before the call: it ends no deadline",
    "cancelled_without_time": "cancelled, but not said when: no fact was made of the cancellation",
    "local_time_twice": "a local time that occurs twice, when clocks are put back",
    "local_time_skipped": "a local time that does not occur, when clocks are put forward",
    "decided_without_time": "decided, but not said when: no fact was made of the decision",
    "state_without_time": "what happened to the hearing has no time: it counts when the hearing was to be",
    "hearing_without_number": "the hearing has no number of its own: it is known by its case and its date",
    "operation_assumed": "not said whether it is new or changed: it counts as new",
    "time_of_receipt": "the message has no time of its own: its facts are dated when it was received",
    "unit_not_of_police": "a unit came or was sent that is not known to be of the police: no fact was made of it",
    "location_unreadable": "a location that is not well-formed: no district was taken from it",
}

# Why a part of something that was used is in no fact.
DROPPED: Mapping[str, str] = {
    "personal": "about a person",
    "contact": "how somebody can be reached",
    "location": "where it was, more exactly than a region",
    "narrative": "free text",
    "official_number": "a number of the agency; facts carry references made under a secret key instead",
    "administrative": "how the message was made and by whom",
    "not_needed": "no rule and no statistic needs it",
    "no_fact": "a state that is no fact here",
    "code_unknown": "a code that is neither in the standard nor in the map: nothing was made of it",
    "code_as_other": "a code that is neither in the standard nor in the map: it became `other`",
    "not_of_the_standard": "a name that is not of the standard",
    "not_in_map": "a column that the map does not name",
}
