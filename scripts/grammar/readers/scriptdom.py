"""Reads Transact-SQL by Microsoft's own parser, ScriptDom: scriptdom.py 130, 140 or 150 (SQL Server 2016, 2017, 2019).

The parser and a .NET runtime are files of the package mssql-cli, whose Python is never run. The runtime is older than
what clr_loader knows how to start, so that it is started here by its own entry points.
See https://learn.microsoft.com/dotnet/core/tutorials/netcore-hosting, "CoreClrHost.h".
"""

import ctypes
import glob
import importlib.util
import os
import sys
from collections import Counter

import clr_loader
import protocol
import pythonnet

# In the environment before the runtime starts: it would look for ICU and for OpenSSL of its own time.
os.environ.update(DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1", CLR_OPENSSL_VERSION_OVERRIDE="3")


class Runtime(clr_loader.Runtime):
    """A self-contained .NET runtime in a folder, as pythonnet wants it."""

    def __init__(self, folder, *assemblies):
        self.lib = ctypes.CDLL(os.path.join(folder, "libcoreclr.so"))
        properties = {
            b"TRUSTED_PLATFORM_ASSEMBLIES": ":".join([*glob.glob(os.path.join(folder, "*.dll")), *assemblies]).encode(),
            b"APP_PATHS": folder.encode(),
            b"NATIVE_DLL_SEARCH_DIRECTORIES": folder.encode(),
            b"System.Globalization.Invariant": b"true",
        }
        n = len(properties)
        self.handle, self.domain = ctypes.c_void_p(), ctypes.c_uint()
        self.must(self.lib.coreclr_initialize(
            sys.executable.encode(), b"grammar", n, (ctypes.c_char_p * n)(*properties), (ctypes.c_char_p * n)(*properties.values()),
            ctypes.byref(self.handle), ctypes.byref(self.domain)))

    @staticmethod
    def must(code):
        if code != 0:
            raise RuntimeError(f"the .NET runtime says {code & 0xFFFFFFFF:#x}")

    def _get_callable(self, assembly_path, typename, function):
        from clr_loader.ffi import ffi

        assembly, _ = os.path.splitext(os.path.basename(assembly_path))
        pointer = ctypes.c_void_p()
        self.must(self.lib.coreclr_create_delegate(
            self.handle, self.domain, assembly.encode(), typename.encode(), function.encode(), ctypes.byref(pointer)))
        return ffi.cast("int(*)(void*, int)", pointer.value)

    def info(self):
        return None

    def shutdown(self):
        pass


package = importlib.util.find_spec("mssqlcli").submodule_search_locations[0]
pythonnet.load(Runtime(
    os.path.join(package, "mssqltoolsservice", "bin"), os.path.join(os.path.dirname(pythonnet.__file__), "runtime", "Python.Runtime.dll")))

import clr  # noqa: E402  (there only now)

clr.AddReference("Microsoft.SqlServer.TransactSql.ScriptDom")
from Microsoft.SqlServer.TransactSql import ScriptDom  # noqa: E402
from System.Collections import IEnumerable  # noqa: E402
from System.IO import StringReader  # noqa: E402

parser = getattr(ScriptDom, f"TSql{sys.argv[1]}Parser")(True)  # QUOTED_IDENTIFIER is on, as every client has it

FRAGMENT, MANY = clr.GetClrType(ScriptDom.TSqlFragment), clr.GetClrType(IEnumerable)
children_of = {}


def children(node):
    """The fragments below a fragment. ScriptDom's visitors cannot be written in Python."""
    kind = node.GetType()
    if kind.FullName not in children_of:
        children_of[kind.FullName] = [
            p for p in kind.GetProperties()
            if p.GetIndexParameters().Length == 0 and p.Name != "ScriptTokenStream" and p.PropertyType.FullName != "System.String"
            and (FRAGMENT.IsAssignableFrom(p.PropertyType) or MANY.IsAssignableFrom(p.PropertyType))]
    for p in children_of[kind.FullName]:
        value = p.GetValue(node)
        if value is None:
            continue
        if FRAGMENT.IsAssignableFrom(p.PropertyType):
            yield value
        else:
            yield from (v for v in value if isinstance(v, ScriptDom.TSqlFragment))


def named(tree):
    """The names in delimiters and the texts of a tree, by where they begin: some stand in it twice."""
    found, todo = {}, [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, (ScriptDom.Identifier, ScriptDom.IdentifierLiteral)) and str(node.QuoteType) != "NotQuoted":
            found[node.StartOffset] = ("name", node.Value)
        elif isinstance(node, ScriptDom.StringLiteral):
            found[node.StartOffset] = ("text", node.Value)
        todo.extend(children(node))
    return Counter(found.values())


def word(token):
    """A token as a word, None if it is none that matters."""
    kind, text = str(token.TokenType), token.Text
    if kind in ("QuotedIdentifier", "AsciiStringOrQuotedIdentifier"):
        return "name", text[1:-1].replace(text[-1] * 2, text[-1])
    if kind in ("AsciiStringLiteral", "UnicodeStringLiteral"):
        return "text", text[text.index("'") + 1:-1].replace("''", "'")
    return {"Identifier": ("bare", text), "SingleLineComment": ("comment", text), "MultilineComment": ("comment", text)}.get(kind)


def all_words(statement):
    tokens, _ = parser.GetTokenStream(StringReader(statement), None)
    return [word(t) or ("bare", t.Text) for t in tokens if t.Text]


def read(statement):
    tree, errors = parser.Parse(StringReader(statement), None)
    if errors.Count > 0:
        tokens, _ = parser.GetTokenStream(StringReader(statement), None)
        words = [w for w in map(word, tokens) if w]
        return 0, words, f"{errors[0].Message} at {errors[0].Offset}"
    words = [w for w in map(word, tree.ScriptTokenStream) if w]
    if named(tree) != Counter(w for w in words if w[0] in ("name", "text")):
        return 0, words, f"the tree has {sorted(named(tree).elements())}"
    return sum(b.Statements.Count for b in tree.Batches), words, ""


protocol.serve(read, all_words)
