"""Jinja2 as Hugging Face transformers 5.23 sets it up for chat templates, and what it renders. Needs jinja2 3.1.6."""
import copy
import datetime
import json

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime(2025, 7, 10, 12, 5, 9)
CLOCK = NOW.isoformat() + "Z"

assert jinja2.__version__ == "3.1.6", jinja2.__version__


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


class Dict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class Namespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        attributes = dict(*args[1:], **kwargs)
        for name in attributes:
            args[0].check(name)
        jinja2.utils.Namespace.__init__(args[0], attributes)

    def __getattribute__(self, name):
        return object.__getattribute__(self, name) if name == "check" else super().__getattribute__(name)

    def __setitem__(self, name, value):
        self.check(name)
        super().__setitem__(name, value)

    def check(self, name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def strftime_now(format):
        return NOW.strftime(format)

    env.filters["tojson"] = tojson
    env.globals.update(raise_exception=raise_exception, strftime_now=strftime_now, dict=Dict(), namespace=Namespace)
    return env


ENVIRONMENT = environment()
COMPILED = {}


def render(text, variables):
    """Gives {"template", "text"}, or {"template", "fails": true}."""
    try:
        if text not in COMPILED:
            COMPILED[text] = ENVIRONMENT.from_string(text)
        out = COMPILED[text].render(**copy.deepcopy(variables))  # the filter indent changes lists
        out.encode("utf-8")
        return {"template": text, "text": out}
    except Exception:
        return {"template": text, "fails": True}
