"""Lets generated enumerations take values that a newer platform knows and this build does not."""

import ast

from ariadne_codegen.plugins.base import Plugin
from graphql import GraphQLEnumType

MISSING = '''
@classmethod
def _missing_(cls, value):
    member = str.__new__(cls, value)
    member._name_ = member._value_ = value
    return member
'''


class TolerantEnums(Plugin):
    def generate_enum(self, class_def: ast.ClassDef, enum_type: GraphQLEnumType) -> ast.ClassDef:
        class_def.body.extend(ast.parse(MISSING).body)
        return class_def
