"""An independent count of a spring, straight from the file: F1, F2, F3, F9, P19, P27 and what a stop costs.

Written from docs/domain/deadlines.md, one rule after the other and for these rules alone; nothing of the heart is used.
P17 and P18, which F3 watches, are judged by the oracle.
"""

from tests.spring_count.whole import Counted, count

__all__ = ["Counted", "count"]
