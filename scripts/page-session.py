#!/usr/bin/env python3
"""Runs the commands of a page of the documentation, as they stand there, against a server.

Blocks of `sh` and `python` are run in their order, in one shell and one folder. Behind the language a block may say
`no-run`, or `serve`: the command line of the server that the page needs, of which --serve-options prints the options;
or `file=NAME`: it is not run, but kept as that file.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

# What the pages call the server.
ADDRESS = "http://127.0.0.1:8080"
# Each request is silent, past any proxy, and its body ends with a newline. Whether it counts is the page's to say.
CURL = 'silent\nshow-error\nnoproxy = "*"\nwrite-out = "\\n"\n'


def blocks(page, section):
    """The blocks of code of a page, or of one of its sections: language, words behind it, text."""
    inside, language, words, lines = section is None, None, [], []
    for line in page.read_text(encoding="utf-8").splitlines():
        if language is not None:
            if line == "```":
                if inside:
                    yield language, words, "\n".join(lines)
                language = None
            else:
                lines.append(line)
        elif match := re.fullmatch(r"```(\S*)(.*)", line):
            language, words, lines = match[1], match[2].split(), []
        elif section is not None and line.startswith("## "):
            inside = line == "## " + section


def kept(words):
    return next((word.removeprefix("file=") for word in words if word.startswith("file=")), None)


def script(page, section):
    """One shell script of all that is run."""
    parts = []
    for language, words, text in blocks(page, section):
        if language not in ("sh", "python") or "no-run" in words or "serve" in words:
            continue
        if name := kept(words):
            parts.append(f"cat >{name} <<'END OF BLOCK'\n{text}\nEND OF BLOCK")
        elif language == "python":
            parts.append(f"python3 - <<'END OF BLOCK'\n{text}\nEND OF BLOCK")
        else:
            parts.append(text)
    return "\n".join(parts)


def serve_options(page):
    """The options of the server that the page starts, as a shell takes them apart."""
    for language, words, text in blocks(page, None):
        if language == "sh" and "serve" in words:
            program = "penstock() { shift; printf '%s\\n' \"$@\"; }\n"
            return subprocess.run(["bash", "-euc", program + text], check=True, capture_output=True, text=True).stdout
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("server", nargs="?", help="the server's URL")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, help="where the commands run")
    parser.add_argument("--section", help="only the blocks under this heading")
    parser.add_argument("--port", action="append", default=[], metavar="FROM=TO", help="another port of 127.0.0.1 for one in the page")
    parser.add_argument("--serve-options", action="store_true", help="print the options of the page's server, one a line")
    options = parser.parse_args()
    if options.serve_options:
        print(serve_options(options.page), end="")
        return 0
    text = script(options.page, options.section)
    if not text:
        parser.error(f"{options.page} has no commands there")
    # The ports before the address, which has the server's own.
    for change in options.port:
        old, new = change.split("=")
        text = text.replace(f"127.0.0.1:{old}/", f"127.0.0.1:{new}/").replace(f"127.0.0.1:{old}?", f"127.0.0.1:{new}?")
        text = text.replace(f'127.0.0.1:{old}"', f'127.0.0.1:{new}"')
    text = text.replace(ADDRESS, options.server)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / ".curlrc").write_text(CURL)
    environment = dict(os.environ, CURL_HOME=str(options.folder.resolve()), NO_PROXY="*", no_proxy="*")
    command = ["bash", "-euo", "pipefail", "-c", text]
    return subprocess.run(command, cwd=options.folder, env=environment, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
