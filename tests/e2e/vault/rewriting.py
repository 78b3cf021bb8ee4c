"""Compaction to the last byte: every row of the embedded server's database written anew into another folder.

WiredTiger's own `compact` moves blocks and cuts files; it does not overwrite what it frees, so what was deleted stays
in a file until its place is needed. (MongoDB's `compact` is the same.) What is written anew holds what is there and
nothing else. The server's library is used by a process of its own, as the server is.
"""

import asyncio
import sys
from pathlib import Path

_CODE = """
import os
import sys
import wiredtiger

os.mkdir(sys.argv[2])

source, target = (wiredtiger.wiredtiger_open(home, "create,log=(enabled=true,file_max=10MB,prealloc=false)")
                  for home in sys.argv[1:])
read, write = source.open_session(), target.open_session()
made = read.open_cursor("metadata:create")
tables = [(name, config) for name, config in made if name.startswith("table:")]
made.close()
for name, config in tables:
    write.create(name, config)
    rows, copy = read.open_cursor(name), write.open_cursor(name, None, "bulk")
    while rows.next() == 0:
        copy.set_key(*rows.get_keys())
        copy.set_value(*rows.get_values())
        copy.insert()
    rows.close()
    copy.close()
write.checkpoint()
target.close()
source.close()
print(len(tables))
"""


async def rewritten(source: Path, target: Path) -> int:
    """Write the database of a stopped server anew in an empty folder; how many tables it has."""
    writing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CODE, str(source), str(target), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await writing.communicate()
    assert writing.returncode == 0
    return int(told)
