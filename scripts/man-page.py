"""The man page penstock(1), from what `penstock --experimental-dump-help` says of its commands and options.

Usage: penstock --experimental-dump-help | man-page.py VERSION DATE
"""
import json
import sys

FRAME = """\
.SH ENVIRONMENT
.TP
.BI PENSTOCK_ NAME
A setting of
.BR "penstock serve" :
.B PENSTOCK_MAX_WRITERS=20
for
.BR "\\-\\-max\\-writers 20" .
A flag is
.B 1
or
.BR 0 .
The command line wins over the environment, and that over the file of
.BR \\-\\-config .
.TP
.B PENSTOCK_SERVER
The server that
.BR "penstock writers" ,
.BR writer ,
.BR encoders ,
.B muxers
and
.B filters
ask:
.B http://HOST:PORT
or
.BR unix:PATH .
.TP
.B PENSTOCK_TOKEN
The token that they show it, where
.B \\-\\-token\\-file
is not given.
.SH FILES
.TP
.I /etc/penstock/penstock.yaml
The settings of the service.
.TP
.I /etc/default/penstock
The environment of the service, which wins over them.
.TP
.I /var/lib/penstock/output
What clients have named with
.BR dst .
.TP
.I /var/lib/penstock/state
Records of writers, and the outputs without a name.
.SH SIGNALS
.TP
.B SIGTERM
Takes no new work, lets uploads in flight end, finalizes every open writer, and exits with 0.
.TP
.B SIGHUP
Reads again what may change while the server runs.
.TP
.B SIGUSR1
Has
.I /readyz
say that no new work is wanted
.RB ( "penstock drain" ).
.SH SEE ALSO
.BR penstock\\-encoder (1),
.BR ffmpeg (1),
.BR systemctl (1)
.PP
.I /usr/share/doc/penstock/README.md
and, for the HTTP interface,
.IR /usr/share/doc/penstock/openapi.yaml .
"""


def escaped(text):
    """Text as roff has it: hyphens that can be copied, and no line that begins a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines if line)


def paragraphs(text):
    return "\n.PP\n".join(escaped(part) for part in text.split("\n\n"))


def synopsis(argument):
    names = [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument.get("names", [])]
    if argument["kind"] == "positional":
        return f"\\fI{escaped(argument['valueName'])}\\fR"
    shown = ", ".join(f"\\fB{escaped(name)}\\fR" for name in names)
    if argument["kind"] == "option":
        shown += f" \\fI{escaped(argument['valueName'])}\\fR"
    return shown


def options(command):
    """The options of a command, under their sections' titles."""
    section = None
    for argument in command.get("arguments", []):
        if not argument["shouldDisplay"] or any(name["name"] in ("help", "version") for name in argument.get("names", [])):
            continue
        if argument.get("sectionTitle") not in (None, section):
            section = argument["sectionTitle"]
            yield f".PP\n.B {escaped(section)}"
        yield f".TP\n{synopsis(argument)}"
        yield escaped("\n".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))) or "\\&"


def commands(parent, prefix):
    for command in parent.get("subcommands", []):
        if not command["shouldDisplay"] or command["commandName"] == "help":
            continue
        name = f"{prefix} {command['commandName']}"
        yield f".SS {escaped(name)}"
        yield paragraphs(command.get("abstract", ""))
        if command.get("discussion"):
            yield ".PP\n" + paragraphs(command["discussion"])
        yield from options(command)
        yield from commands(command, name)


def page(root, version, date):
    name = root["commandName"]
    yield f'.TH {name.upper()} 1 {date} "Penstock {version}" "User Commands"'
    yield f".SH NAME\n{name} \\- HTTP server that encodes raw audio and video"
    yield f".SH SYNOPSIS\n.B {name}\n.I command\n.RI [ options ]\n.PP\n.B {name}\n.RB [ \\-\\-version \" | \" \\-\\-help ]"
    yield f".SH DESCRIPTION\n{paragraphs(root['abstract'])}"
    yield ".SH COMMANDS\nEach shows its options with\n.BR \\-\\-help ."
    yield from commands(root, name)
    yield FRAME.rstrip("\n")


if __name__ == "__main__":
    print("\n".join(page(json.load(sys.stdin)["command"], *sys.argv[1:3])))
