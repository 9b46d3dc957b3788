"""Changes where it is and who it is: working folder, root folder, home, user, mask."""
# run: chdir
# run: deleted => 0 0?
# run: deleted-raises => 1 1?
# run: root
# run: chroot => 0 nothing
# run: chroot-raises => 1 nothing
# run: user => 0 nothing
# run: user-raises => 1 nothing
# run: user-forks => 0 nothing
# run: home-deleted => 0 nothing
# run: home-deleted-raises => 1 nothing
# run: home-changed => 0 0?
# run: home-removed => 0 0?
# run: home-emptied => 0 nothing
# run: state-changed => 0 0?
# run: mask
# run: tmp
# run: path-cleared => 0 0?
# run: path-cleared-raises => 1 1?

import os
import shutil
import sys


def main():
    way = sys.argv[1]
    print("out")
    if way == "chdir":
        os.mkdir("below")
        os.chdir("below")
        print(os.getcwd())
    elif way.startswith("deleted"):
        os.rmdir(os.getcwd())
    elif way == "root":
        os.chdir("/")
    elif way.startswith("chroot"):
        os.chroot(".")
        print(os.listdir("/"))
    elif way.startswith("user"):
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        print(os.getuid(), os.access("/root", os.R_OK))
        if way == "user-forks":
            print(os.system("id -u"), flush=True)
    elif way.startswith("home-deleted"):
        shutil.rmtree(os.environ["HOME"])
    elif way == "home-changed":
        os.environ["HOME"] = os.getcwd()
    elif way == "home-removed":
        del os.environ["HOME"]
    elif way == "home-emptied":
        shutil.rmtree(os.path.expanduser("~/.local"))
    elif way == "state-changed":
        os.environ["XDG_STATE_HOME"] = os.getcwd()
    elif way == "mask":
        os.umask(0o777)
    elif way == "tmp":
        os.environ["TMPDIR"] = "/no/such/folder"
    elif way.startswith("path-cleared"):
        sys.path.clear()
        sys.path_importer_cache.clear()
        sys.meta_path.clear()
    if way.endswith("raises"):
        raise ValueError("and failed")
