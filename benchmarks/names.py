"""What public names cost: a digest is built, opened and asked, beside a Python set of the same names, each in a process of its own.

Names are made by a rule, the same ones in every run. Figures are medians of `--rounds N` processes each (5), the kinds in turn;
memory is the peak of a process less that of one which only imports. Raw results go to benchmarks/results/names.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results" / "names.json"
BUILT, HELD, ASKED = 1_000_000, 800_000, 1000
_START = """
import ctypes, json, os, resource, sys, time
from _blake2 import blake2b
from otel_bridge.privacy import names
file, number, HELD, ASKED = sys.argv[1], *map(int, sys.argv[2:5])
def made(count, what="pkg"):
    return (f"{what}-{number * 2654435761 % 4294967296:x}-tools" for number in range(count))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
def clock(look, asked):
    took = []
    for _ in range(5):
        began = time.perf_counter()
        for name in asked:
            look(name)
        took.append((time.perf_counter() - began) / len(asked) * 1e6)
    return min(took)
def tell(**told):
    print(json.dumps(told | {"peak": peak()}))
"""
_SET_OF_DIGESTS = """sorted({names.digest(names.normalise(name, "pypi")) for name in made(number)})"""
_BUILD = """
began = time.perf_counter()
content = %s
tell(seconds=time.perf_counter() - began)
"""
_WRITE = """
content = names.build(made(number), "pypi")
open(file, "wb").write(content)
open(file + ".txt", "w").write("\\n".join(made(number)))
print(json.dumps({"mark": names.fingerprint(content)}))
"""
_LOOK = """
def pages():
    lines = [line for line in open("/proc/self/maps") if line.endswith(file + "\\n")]
    low, high = (int(end, 16) for end in lines[0].split()[0].split("-"))
    resident = (ctypes.c_ubyte * ((high - low + 4095) // 4096))()
    assert ctypes.CDLL(None).mincore(ctypes.c_void_p(low), ctypes.c_size_t(high - low), resident) == 0
    lines = open("/proc/self/smaps").read().partition(file + "\\n")[2].splitlines()
    return sum(one & 1 for one in resident), int(next(line.split()[1] for line in lines if line.startswith("Rss"))) // 4
def forget():
    names._OPENED.clear()
    fd = os.open(file, os.O_RDONLY)
    os.fsync(fd), os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED), os.close(fd)
def timed(*asked):
    began = time.perf_counter()
    assert [names.public(place, name) for name in asked] == [*asked]
    return (time.perf_counter() - began) * 1e6
asked, others, place = [*made(HELD)][:: HELD // ASKED], [*made(ASKED, "own")], f"{file} {sys.argv[5]}"
forget()
began = time.perf_counter()
names._open(place)
told = {"open": (time.perf_counter() - began) * 1e6}
told["cached after opening"], told["mapped after opening"] = pages()
told["first"] = timed(asked[0])
told["cached after 1"], told["mapped after 1"] = pages()
timed(*asked)
told["cached after 1000"], told["mapped after 1000"] = pages()
told["pages"] = len(names._OPENED[place][0]) // 4096 + 1
names._OPENED.clear()
told["warm"] = timed(asked[7])
assert not any(names.public(place, name) for name in others)
look = lambda name: names.public(place, name)
told |= {"same": clock(look, asked[7:8] * ASKED), "asked": clock(look, asked), "others": clock(look, others)}
tell(blake2b=clock(lambda name: blake2b(name.encode(), digest_size=8).digest(), asked), **told)
"""
_SET = """
began = time.perf_counter()
public = {*open(file + ".txt").read().split("\\n")}
loaded = time.perf_counter() - began
asked = [*made(HELD)][:: HELD // ASKED]
assert public.issuperset(asked)
tell(load=loaded * 1e6, asked=clock(lambda name: name in public, asked))
"""
CHILDREN = {"import": "tell()", "build": _BUILD % 'names.build(made(number), "pypi")'}
CHILDREN |= {"build, a set of digests": _BUILD % _SET_OF_DIGESTS, "digest": _LOOK, "set": _SET}


def child(code: str, *words: object) -> dict[str, float]:
    """What a process of its own tells as JSON."""
    done = subprocess.run([sys.executable, "-c", _START + code, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


def median(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def show(found: dict[str, dict[str, float]]) -> None:
    """Print the tables."""
    looked, held, unit = found["digest"], found["set"], found["digest"]["blake2b"]
    print(f"{f'{BUILT:,} names':34}{'seconds':>14}{'peak MB':>14}")
    for what in ("build", "build, a set of digests"):
        print(f"{what:34}{found[what]['seconds']:14.2f}{found[what]['peak'] / 1e6:14.1f}")
    rows = {"set: load it from text": held["load"], "set: look-up": held["asked"], "blake2b of a name": unit}
    rows |= {"digest: open, from disk": looked["open"], "digest: first look-up, from disk": looked["first"]}
    rows |= {"digest: open and look up, cached": looked["warm"], "digest: the same name again": looked["same"]}
    rows |= {"digest: 1,000 public names": looked["asked"], "digest: 1,000 private names": looked["others"]}
    print(f"\n{f'{HELD:,} names':34}{'us':>14}{'of blake2b':>14}{'of the set':>14}")
    for what, took in rows.items():
        print(f"{what:34}{took:14,.2f}{took / unit:14,.1f}{took / held['asked']:14,.1f}")
    print(f"\n{'pages of 4 kB':34}{'of all':>14}{'in the cache':>14}{'mapped':>14}")
    for what in ("after opening", "after 1", "after 1000"):
        print(f"{what:34}{looked['pages']:14,.0f}{looked[f'cached {what}']:14,.0f}{looked[f'mapped {what}']:14,.0f}")
    print(f"\nmemory of the set: {held['peak'] / 1e6:.0f} MB")


def main() -> None:
    """Measure, print tables, keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = range(parser.parse_args().rounds)
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as place:  # a temporary folder is often in memory
        file = f"{place}/names.digest"
        mark = child(_WRITE, file, HELD, HELD, ASKED)["mark"]
        told: dict[str, list[dict[str, float]]] = {what: [] for what in CHILDREN}
        for _ in rounds:
            for what, code in CHILDREN.items():
                told[what].append(child(code, file, BUILT, HELD, ASKED, mark))
    found = {what: median(each) for what, each in told.items()}
    for what in ("build", "build, a set of digests", "set"):
        found[what]["peak"] -= found["import"]["peak"]
    show(found)
    RESULTS.parent.mkdir(exist_ok=True)
    raw = {"python": sys.version.split()[0], "built": BUILT, "held": HELD, "median": found, "rounds": told}
    RESULTS.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
