"""How often Python looks for garbage in circles: the heart makes and drops many small objects and keeps few of them."""

import gc

# By default a young generation has 700 objects, fewer than one case makes: a third of the time went into looking at
# what was about to be dropped anyway. So many still fit a processor's cache.
YOUNG = 5_000


def collect_seldom() -> None:
    """For a whole process, once it has been put together: what there is by then is not looked through any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
