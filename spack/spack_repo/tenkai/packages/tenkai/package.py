# A first recipe, for Spack 1.0 and its package API 2:
#
#   spack repo add spack/spack_repo/tenkai
#   spack dev-build tenkai@0.1.0          (in the checkout: there is no release yet)
#
# What was tried, without Spack: the same CMake options, `cmake --install` into a
# prefix, and `R CMD INSTALL` with the same variables (tests/flows/install_prefix.sh).
# What was not tried: this file itself. To be checked first are extends("r") below
# `with when`, and whether rlib/R/library is where Spack's R looks for packages.

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Tenkai(CMakePackage):
    """Asynchronous evaluation of R expressions on persistent R processes: a
    native dispatcher hands tasks to R daemons on this machine or on others."""

    license("MIT")

    version("0.1.0")

    variant("r", default=True, description="Install the R package")
    variant("mpi", default=False, description="Launch daemons by Open MPI 4")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("boost@1.81:", type="build")
    depends_on("cli11@2:", type="build")
    depends_on("libssh2@1.10:", type=("build", "link"))
    depends_on("pkgconfig", type="build")
    depends_on("openssh", type="run")
    depends_on("openssl@3:", type=("build", "link"))
    depends_on("spdlog@1.10:", type=("build", "link"))
    depends_on("yaml-cpp@0.7:", type=("build", "link"))
    depends_on("catch2@2.13:3", type="test")
    depends_on("openmpi@4.1", when="+mpi")

    with when("+r"):
        extends("r")
        depends_on("r@4.1:", type=("build", "run"))
        depends_on("gmake", type="build")

    conflicts("platform=darwin", msg="tenkai needs Linux: abstract sockets, SO_PEERCRED")
    conflicts("platform=windows", msg="tenkai needs Linux: abstract sockets, SO_PEERCRED")
    conflicts("%gcc@:11", msg="tenkai needs the coroutines of GCC 12")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("TENKAI_TESTS", self.run_tests),
            # One that happens to be there is not for us.
            self.define("CMAKE_DISABLE_FIND_PACKAGE_MPI", "~mpi" in self.spec),
        ]

    @run_after("install", when="+r")
    def install_r_package(self):
        source = join_path(self.stage.source_path, "r")
        library = join_path(self.prefix, "rlib", "R", "library")
        mkdirp(library)
        with working_dir(self.stage.source_path):
            Executable("R")(
                "--vanilla", "CMD", "INSTALL",
                f"--configure-vars=TENKAI_PREFIX={self.prefix}", f"--library={library}", source,
            )

    @run_after("install")
    def check_program(self):
        Executable(join_path(self.prefix.bin, "tenkai"))("--version")
