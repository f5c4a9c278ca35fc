"""Prints src/penstock/types.py: a TypedDict for each object that openapi.yaml's schemas have.

Usage: make_types.py OPENAPI_YAML. Wants PyYAML. A test holds the file against what this prints.
"""

from __future__ import annotations

import keyword
import re
import sys
import textwrap
from typing import Any

import yaml

HEAD = '''"""The API's objects, made from openapi.yaml by scripts/make_types.py; a test holds them against it."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Module:
    """The module's text, piece by piece."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self.schemas: dict[str, dict[str, Any]] = contract["components"]["schemas"]
        self.done: dict[str, str] = {}

    def text(self) -> str:
        for name in self.schemas:
            self.define(name)
        return HEAD + "".join(f"\n{definition}" for definition in self.done.values())

    def define(self, name: str) -> None:
        schema = self.schemas[name]
        if name in self.done:
            return
        self.done[name] = ""
        if is_object(schema):
            definition = self.typed_dict(name, schema)
        else:
            definition = f"{name}: TypeAlias = {self.alias(schema)}\n"
        # What a type alias names has to stand before it; it does, since that was defined meanwhile.
        self.done.pop(name)
        self.done[name] = definition

    def typed_dict(self, name: str, schema: dict[str, Any]) -> str:
        required = [member for member in schema["properties"] if member in schema.get("required", [])]
        optional = [member for member in schema["properties"] if member not in required]
        bases, text = [], ""
        for members, suffix, ending in ((required, "OddRequired", ""), (optional, "Odd", ", total=False")):
            odd = [member for member in members if keyword.iskeyword(member) or not member.isidentifier()]
            if odd:
                # No class has members of such names.
                bases.append(f"_{name}{suffix}")
                pairs = ", ".join(f'"{member}": {self.type_of(schema["properties"][member], name)}' for member in odd)
                text += f'\n_{name}{suffix} = TypedDict("_{name}{suffix}", {{{pairs}}}{ending})\n\n'
                members[:] = [member for member in members if member not in odd]
        if required and optional:
            bases.append(f"_{name}Required")
            text += f"\nclass _{name}Required(TypedDict):\n{self.members(name, schema, required)}\n"
        rest = optional or required
        totality = ", total=False" if optional else ""
        base = ", ".join(bases) or "TypedDict"
        description = docstring(schema.get("description") or f"The API's {words(name)}.", "    ")
        body = self.members(name, schema, rest)
        return f"{text}\nclass {name}({base}{totality}):\n{description}\n{body}"

    def members(self, name: str, schema: dict[str, Any], members: list[str]) -> str:
        lines = []
        for member in members:
            part = schema["properties"][member]
            lines.append(f"    {member}: {self.type_of(part, name + words(member).title().replace(' ', ''))}\n")
            if "description" in part:
                lines.append(docstring(part["description"], "    "))
        return "".join(lines)

    def alias(self, schema: dict[str, Any]) -> str:
        return self.type_of(schema, "", quoted=True)

    def type_of(self, schema: dict[str, Any], name: str, quoted: bool = False) -> str:
        if "$ref" in schema:
            referred = schema["$ref"].rpartition("/")[2]
            self.define(referred)
            return f'"{referred}"' if quoted and is_object(self.schemas[referred]) else referred
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return self.union([self.type_of(part, name) for part in schema[word]], quoted)
        if "const" in schema:
            return f"Literal[{literal(schema['const'])}]"
        if "enum" in schema:
            return f"Literal[{', '.join(literal(value) for value in schema['enum'])}]"
        kinds = schema.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return self.union([self.type_of_kind(kind, schema, name) for kind in kinds], quoted)

    @staticmethod
    def union(parts: list[str], quoted: bool) -> str:
        text = " | ".join(dict.fromkeys(parts))
        return f'"{text}"' if quoted and len(parts) > 1 else text

    def type_of_kind(self, kind: str, schema: dict[str, Any], name: str) -> str:
        if kind == "array":
            return f"list[{self.type_of(schema.get('items', {}), name + 'Item')}]"
        if kind == "object":
            if is_object(schema):
                self.done[name] = self.typed_dict(name, schema)
                return name
            values = schema.get("additionalProperties", {})
            return f"dict[str, {self.type_of(values, name) if isinstance(values, dict) else 'Any'}]"
        return PLAIN.get(kind, "Any")


def is_object(schema: dict[str, Any]) -> bool:
    return "properties" in schema


def literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name).lower()


def docstring(text: str, indent: str) -> str:
    text = " ".join(text.split()).replace("\\", "\\\\")
    text = text if text.endswith((".", ":", "!", "?", ")", "`")) else text + "."
    one_line = f'{indent}"""{text}"""'
    if len(one_line) <= 120 and not text.endswith('"'):
        return one_line + "\n"
    lines = textwrap.wrap(text, 120 - len(indent) - 3, break_on_hyphens=False)
    return f'{indent}"""' + f"\n{indent}".join(lines) + f'\n{indent}"""\n'


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        print(Module(yaml.safe_load(file)).text(), end="")


if __name__ == "__main__":
    main()
