#!/usr/bin/env python3
# Each file includes what it uses of the standard library by itself, and a source its
# own header first. Else it compiles by luck: because another header happens to bring
# the name along, with this compiler and this Boost.
import re
import sys
import tempfile
from pathlib import Path

ROOMS = "base wire process scheduler agent launcher cli plugins r/src tests bench".split()
# A header, and the names that ask for it.
NAMES = {
    "algorithm": "std::(all_of|any_of|clamp|copy|copy_if|count|count_if|equal|fill|find|find_if|find_if_not|"
    "for_each|is_sorted|lower_bound|max|max_element|min|min_element|mismatch|none_of|nth_element|partition|"
    "remove_if|reverse|rotate|search|sort|stable_sort|transform|unique|upper_bound)",
    "array": "std::array",
    "atomic": "std::atomic",
    "bit": "std::(bit_cast|popcount)",
    "charconv": "std::(from_chars|to_chars)",
    "chrono": "std::chrono",
    "cmath": "std::(ceil|exp|floor|isfinite|isinf|isnan|log|lround|llround|pow|round|sqrt)",
    "cstdint": r"(u?int(8|16|32|64|max|ptr)_t|U?INT(8|16|32|64)_(MAX|MIN|C))",
    "cstdio": "std::(fclose|fopen|fprintf|fputs|fread|fwrite|perror|printf|puts|snprintf|FILE)",
    "cstdlib": "std::(_Exit|abort|exit|free|getenv|malloc|strtod|strtol|strtoul|strtoull|system)",
    "cstring": "std::(mem(chr|cmp|cpy|move|set)|str(chr|cmp|error|len|ncmp|rchr|signal|str))",
    "ctime": "std::(gmtime|localtime|mktime|strftime|time|time_t|tm)",
    "deque": "std::deque",
    "exception": "std::(current_exception|exception|exception_ptr|rethrow_exception)",
    "filesystem": "std::filesystem",
    "fstream": "std::[io]?fstream",
    "functional": "std::(bind|cref|function|greater|hash|invoke|less|ref)",
    "initializer_list": "std::initializer_list",
    "iostream": "std::(cerr|cin|clog|cout)",
    "iterator": "std::(advance|back_inserter|distance|inserter|istreambuf_iterator|make_move_iterator|next|prev)",
    "limits": "std::numeric_limits",
    "list": "std::list",
    "map": "std::(multi)?map",
    "memory": "std::(enable_shared_from_this|make_shared|make_unique|shared_ptr|unique_ptr|weak_ptr)",
    "new": "std::(bad_alloc|nothrow)",
    "numeric": "std::(accumulate|gcd|iota)",
    "optional": "std::(nullopt|optional)",
    "random": "std::(minstd_rand|mt19937|mt19937_64|random_device|uniform_int_distribution)",
    "set": "std::(multi)?set",
    "span": "std::span",
    "sstream": "std::[io]?stringstream",
    "stdexcept": "std::(invalid_argument|length_error|logic_error|out_of_range|runtime_error)",
    "string": "std::(getline|sto(d|i|l|ll|ul|ull)|string|to_string)",
    "string_view": "std::string_view",
    "system_error": "std::(errc|error_code|generic_category|system_error)",
    "thread": "std::(this_thread|thread)",
    "tuple": "std::(make_tuple|tie|tuple)",
    "type_traits": r"std::(conditional_t|decay_t|enable_if_t|is_\w+_v|remove_\w+_t|underlying_type_t)",
    "unordered_map": "std::unordered_map",
    "unordered_set": "std::unordered_set",
    "utility": "std::(as_const|exchange|forward|in_range|make_pair|move|pair|swap)",
    "variant": "std::(get_if|holds_alternative|monostate|variant|visit)",
    "vector": "std::vector",
}
NAMES = {header: re.compile(rf"(?<!\w){names}(?!\w)") for header, names in NAMES.items()}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
NOT_CODE = re.compile(r"""//[^\n]*|'(\\.|[^'\\\n])'|"(\\.|[^"\\\n])*\"""")


def own_header(source, includes):
    """What the source, or the test, stands for: the header of the same name."""
    name = re.sub("_test$", "", source.stem) + ".h"
    return next((include for include in includes if Path(include).name == name), None)


def complaints(folder):
    """The lines to print: a file, and what it lacks."""
    files = [path for room in ROOMS for path in (folder / room).rglob("*") if path.suffix in (".h", ".cpp")]
    text = {str(path.relative_to(folder)): path.read_text() for path in sorted(files) if not path.is_symlink()}
    includes = {file: INCLUDE.findall(text[file]) for file in text}
    for file in text:
        path, here = Path(file), set(includes[file])
        own = None if path.suffix == ".h" else own_header(path, includes[file])
        if own:
            here |= set(includes.get(own) or includes.get(str(path.parent / own), []))
        if own in (str(path.with_suffix(".h")), path.stem + ".h") and includes[file][0] != own:
            yield f"{file}: {own} has to be the first"
        code = NOT_CODE.sub(" ", text[file])
        missing = [f"<{header}>" for header in NAMES if header not in here and NAMES[header].search(code)]
        if missing:
            yield f"{file}: {' '.join(missing)}"


def check_itself():
    """A check that finds nothing may be blind: it must see what is planted for it."""
    planted = {
        "base/one.h": "#include <string>\nstd::string name(std::uint8_t);\n",
        "base/one.cpp": '#include <vector>\n#include "base/one.h"\nstd::string name; std::vector<int> all;\n',
        "base/two.h": '// std::function\nconst char* two = "std::map"; char three = \'"\'; std::optional<int> four;\n',
        "tests/base/one_test.cpp": '#include "base/one.h"\nstd::string name; int32_t five;\n',
    }
    expected = [
        "base/one.cpp: base/one.h has to be the first",
        "base/one.h: <cstdint>",
        "base/two.h: <optional>",
        "tests/base/one_test.cpp: <cstdint>",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for file, text in planted.items():
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = list(complaints(Path(folder)))
    if found != expected:
        sys.exit(f"includes.py does not see what it should: expected {expected}, found {found}")


check_itself()
found = list(complaints(Path(__file__).resolve().parent.parent))
print(*found, sep="\n", end="")
if found:
    sys.exit("\nThese files use names of the standard library whose headers they do not include.")
