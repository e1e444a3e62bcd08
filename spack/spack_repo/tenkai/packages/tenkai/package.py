# Copyright Spack Project Developers. See COPYRIGHT file for details.
#
# SPDX-License-Identifier: (Apache-2.0 OR MIT)

# flake8: noqa: F403,F405

# Tried with Spack 1.2 (development) and its packages 2.2, with Debian's libraries as externals:
# spec, dev-build, install from git, audit. Not tried: libraries that Spack itself builds, an R of
# Spack, `spack install --test=root`, Spack 1.0 and 1.1; nor this very text, which tests/recipes.py
# loads without Spack.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator

from spack.package import *


class Tenkai(CMakePackage):
    """Programs that evaluate R expressions asynchronously: a dispatcher hands
    tasks to persistent R processes on this machine, on others by SSH, or in
    jobs of Slurm. The R package that uses them is r-tenkai."""

    homepage = "https://example.org/tenkai"
    git = "https://example.org/tenkai.git"

    maintainers("tenkai")

    license("MIT")

    version("main", branch="main")
    version("0.1.0", tag="v0.1.0")

    variant("mpi", default=False, description="Launch daemons by Open MPI 4")

    generator("ninja")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    # Its headers alone.
    depends_on("boost@1.81:", type="build")
    depends_on("cli11@2:", type="build")
    depends_on("libssh2@1.10:", type=("build", "link"))
    depends_on("openssl@3:", type=("build", "link"))
    depends_on("spdlog@1.10:", type=("build", "link"))
    depends_on("yaml-cpp@0.7:", type=("build", "link"))
    depends_on("openmpi@4", when="+mpi", type=("build", "link", "run"))
    depends_on("openssh", type="run")
    depends_on("catch2@2.13:3", type="test")
    depends_on("python@3:", type="test")

    requires("platform=linux", msg="abstract sockets and SO_PEERCRED")
    conflicts("%gcc@:10", msg="it is written in the C++20 of GCC 11")

    sanity_check_is_file = [
        join_path("bin", "tenkai"),
        join_path("share", "tenkai", "r", "DESCRIPTION"),
    ]

    def cmake_args(self):
        return [
            self.define("TENKAI_TESTS", self.run_tests),
            self.define("TENKAI_BENCH", False),
            self.define("TENKAI_CCACHE", False),
            self.define_from_variant("TENKAI_MPI", "mpi"),
        ]
