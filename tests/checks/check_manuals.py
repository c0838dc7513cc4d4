#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of weftctl, every dump and every RPC method is in the help
text, the manual page and the shell completion."""
import re
import tree


def find(root, path, pattern):
    return re.findall(pattern, tree.read(root, path), flags=re.M)


def manual(root, name):
    return tree.read(root, "docs/" + name).replace("\\-", "-")


def commands(root):
    """weftctl's, from the tables that carry them out."""
    folder = "utils/weftctl/"
    found = find(root, folder + "commands.def", r'^EDIT\("([\w-]+)"')
    for path in ("ctl_of.c", "ctl_flows.c", "ctl_show.c"):
        found += find(root, folder + path, r'^    \{ "([\w-]+)", "')
    for path in ("ctl_flows.c", "ctl_tables.c", "weftctl.c"):
        found += find(root, folder + path, r'strcmp\(w\[0\], "([a-z][\w-]+)"')
    return sorted(set(found))


def missing(what, names, text):
    """Names that stand nowhere as whole words."""
    return ["%s: %s is not there" % (what, n) for n in names
            if not re.search(r"(?<![\w-])(\\f[BRI])?%s(?![\w-])" % n, text)]


def check(root):
    faults = []
    names = commands(root)
    assert len(names) > 40, "the tables are not understood"
    text = tree.read(root, "utils/weftctl/weftctl.c")
    begin = text.index("char help[] =")
    # One text; a name may be cut by the end of a line.
    text = text[begin:text.index(";\n\n", begin)].replace('"\n    "', "")
    faults += missing("weftctl --help", names, text.replace("\\n", " "))
    page = re.sub(r"\\f[BRI]", "", manual(root, "weftctl.8"))
    faults += missing("docs/weftctl.8", names, page)
    faults += missing("docs/completion/weft.bash", names,
                      tree.read(root, "docs/completion/weft.bash"))
    dumps = find(root, "utils/weft-dump/dumps.def", r'^DUMP\("([\w-]+)"')
    assert dumps, "the dumps are not understood"
    faults += missing("docs/weft-dump.8", dumps, manual(root, "weft-dump.8"))
    methods = find(root, "utils/weftd/rpc_methods.def",
                   r'^RPC_\w+\("([\w-]+)"')
    assert methods, "the methods are not understood"
    faults += missing("docs/weft-rpc.7", methods, manual(root, "weft-rpc.7"))
    return faults


if __name__ == "__main__":
    tree.main(check)
