#!/usr/bin/env python3
# The recipes in spack/, without Spack: a few lines stand in for what they use of it. They
# must load, ask CMake for options that there are, and belong together by their versions. That
# of conda must bear the same version, and name commands that there are.
# Where black, isort and flake8 are installed, they are asked as well.
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

checkout = Path(__file__).resolve().parent.parent
cmake = "\n".join(path.read_text() for path in [checkout / "CMakeLists.txt", *(checkout / "cmake").glob("*.cmake")])
version = re.search(r"^project\(tenkai VERSION ([0-9.]+)", cmake, re.MULTILINE).group(1)
failures = []


def check(good, sentence):
    print("ok:" if good else "NOT OK:", sentence)
    if not good:
        failures.append(sentence)


class Prefix(str):
    def __getattr__(self, name):
        return Prefix(f"{self}/{name}")


class Spec:
    """One that has each variant off, and each package below /opt."""

    def satisfies(self, wish):
        return wish.startswith("~")

    def __getitem__(self, name):
        return types.SimpleNamespace(prefix=Prefix(f"/opt/{name}"))


class CMakePackage:
    run_tests, spec = False, Spec()

    def define(self, name, value):
        return f"-D{name}={value}"

    def define_from_variant(self, name, variant):
        return self.define(name, not self.spec.satisfies(f"~{variant}"))


class RPackage:
    def __init__(self, said):
        self.spec = Spec()
        self.stage = types.SimpleNamespace(source_path="/stage")
        self.module = types.SimpleNamespace(r_lib_dir="/library", R=lambda *words: said.append(words))


def load(name):
    """The class of a recipe, and what its directives have been told."""
    told, done = [], []
    package = types.ModuleType("spack.package")
    for directive in "conflicts depends_on generator license maintainers requires variant version".split():
        setattr(package, directive, lambda *a, _name=directive, **k: told.append((_name, a, k)))
    package.join_path = lambda *parts: "/".join(parts)
    package.mkdirp = lambda path: None
    package.install_tree = lambda *paths: done.append(paths)
    builtin = "spack_repo.builtin.build_systems."
    systems = {
        builtin + "cmake": dict(CMakePackage=CMakePackage, generator=package.generator),
        builtin + "r": dict(RPackage=RPackage),
    }
    for system, names in systems.items():
        sys.modules[system] = types.ModuleType(system)
        sys.modules[system].__dict__.update(names)
    sys.modules["spack.package"] = package
    scope = {}
    text = (checkout / "spack/spack_repo/tenkai/packages" / name / "package.py").read_text()
    exec(compile(text, name, "exec"), scope)
    return scope["".join(word.capitalize() for word in name.split("_"))], told, done


for name in ("spack", "spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems"):
    sys.modules[name] = types.ModuleType(name)

programs, told, _ = load("tenkai")
versions = {a[0]: k for name, a, k in told if name == "version"}
check(set(versions) == {"main", version}, f"tenkai has the versions main and {version}")
check(versions.get(version) == {"tag": f"v{version}"}, "the release is a tag")
arguments = programs().cmake_args()
options = re.findall(r"(?:option|set)\((TENKAI_\w+)", cmake)
asked = [argument[2:].split("=")[0] for argument in arguments]
check(all(name in options for name in asked if name.startswith("TENKAI_")), f"CMake has the options of {arguments}")
check("-DTENKAI_CCACHE=False" in arguments and "-DTENKAI_BENCH=False" in arguments, "no ccache, no benchmarks")
check("-DTENKAI_MPI=False" in arguments, "no MPI that is not asked for")

r_package, told, copied = load("r_tenkai")
check(not r_package.has_code, "r-tenkai has no source of its own")
check({a[0] for name, a, k in told if name == "version"} == set(versions), "r-tenkai has the same versions")
bound = {(a[0], k.get("when")) for name, a, k in told if name == "depends_on"}
check(all((f"tenkai@{v}", f"@{v}") in bound for v in versions), "each needs the programs of its version")
said = []
r_package(said).install(Spec(), Prefix("/opt/r-tenkai"))
check(copied == [("/opt/tenkai/share/tenkai/r", "/stage/r")], "R compiles in a copy")
words = ("--vanilla", "CMD", "INSTALL", "--configure-vars=TENKAI_PREFIX=/opt/tenkai", "--library=/library", "/stage/r")
check(said == [words], "R CMD INSTALL is told where the programs are")

conda = (checkout / "packaging/conda/meta.yaml").read_text()
check(f'set version = "{version}"' in conda, f"the recipe of conda has version {version}")
scripts = re.findall(r"script: (\S+)", conda)
check(scripts and all((checkout / "packaging/conda" / name).is_file() for name in scripts), "its scripts are there")
asked = re.findall(r"-D(TENKAI_\w+)", "".join((checkout / "packaging/conda" / name).read_text() for name in scripts))
check(asked and set(asked) <= set(options), f"CMake has the options of conda's {asked}")

for tool in ("black --check --quiet", "isort --check", "flake8"):
    if shutil.which(tool.split()[0]):
        outcome = subprocess.run([*tool.split(), "spack"], cwd=checkout, capture_output=True, text=True)
        check(outcome.returncode == 0, f"{tool}\n{outcome.stdout}{outcome.stderr}".strip())

sys.exit(1 if failures else 0)
