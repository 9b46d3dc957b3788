"""Has an excepthook of its own, set when its word says, and raises."""
# run: module => 1
# run: inside => 1
# run: frames => 1
# run: original => 1
# run: raises => 1
# run: none => 1
# run: last => 1
# run: exits => 3 1
# run: not-called
# run: identity
# run: context => 1

import sys
import traceback


def names(trace):
    while trace is not None:
        yield f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next


def own(kind, error, trace):
    print("hook", kind.__name__, error, *names(trace))


def original(kind, error, trace):
    print("hook", error.__traceback__ is trace)
    sys.__excepthook__(kind, error, trace)


def raises(kind, error, trace):
    raise LookupError("in the hook")


def last(kind, error, trace):
    print("hook", getattr(sys, "last_value", "none"), sys.exc_info())
    print([frame.name for frame in traceback.extract_tb(trace)])
    print("".join(traceback.format_exception(kind, error, trace)))


def context(kind, error, trace):
    while error is not None:
        print(error, *names(error.__traceback__))
        error = error.__cause__ or error.__context__


def leaves(kind, error, trace):
    print("hook leaves")
    sys.exit(3)


def inner():
    raise ValueError("inner")


way = sys.argv[1]
if way == "module":
    sys.excepthook = own


def main():
    hooks = {"inside": own, "frames": own, "original": original, "raises": raises, "last": last, "exits": leaves}
    hooks |= {"context": context, "none": None}
    if way in hooks:
        sys.excepthook = hooks[way]
    if way == "not-called":
        sys.excepthook = own
        return
    if way == "identity":
        print(sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__, sys.excepthook.__name__)
        return
    try:
        inner()
    except ValueError:
        if way == "context":
            raise TypeError("outer")  # noqa: B904
        raise
