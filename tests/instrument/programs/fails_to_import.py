"""Fails, ends or prints while it is imported."""
# run: missing => 1 nothing
# run: name => 1 nothing
# run: raises => 1 nothing
# run: chained => 1 nothing
# run: exits => 5 nothing
# run: interrupted => SIGINT nothing
# run: prints
# run: attribute => 1 nothing
# run: leaves => 6 nothing
# run: hook => 1 nothing

import os
import sys

way = sys.argv[1]
if way == "missing":
    import no_such_module  # noqa: F401
elif way == "name":
    from os import no_such_name  # noqa: F401
elif way == "raises":
    raise ValueError("at import")
elif way == "chained":
    try:
        {}["a"]
    except KeyError as error:
        raise ImportError("cannot be had") from error
elif way == "exits":
    sys.exit(5)
elif way == "interrupted":
    raise KeyboardInterrupt
elif way == "prints":
    print("at import", __name__)
elif way == "attribute":
    raise AttributeError("at import")
elif way == "leaves":
    os._exit(6)
elif way == "hook":
    sys.excepthook = lambda kind, error, trace: print("hook", kind.__name__, trace.tb_next is not None)
    raise ValueError("at import")


def main():
    print("in main", os.path.basename(__file__))
