# Copyright Spack Project Developers. See COPYRIGHT file for details.
#
# SPDX-License-Identifier: (Apache-2.0 OR MIT)

# flake8: noqa: F403,F405

# What was tried, and what was not, is at the head of the recipe of tenkai.

from spack_repo.builtin.build_systems.r import RPackage

from spack.package import *


class RTenkai(RPackage):
    """Asynchronous evaluation of R expressions, from a laptop to a cluster:
    the R package over the programs of tenkai."""

    homepage = "https://example.org/tenkai"

    # Its source comes with the programs, in share/tenkai/r of their prefix.
    has_code = False

    maintainers("tenkai")

    license("MIT")

    version("main")
    version("0.1.0")

    depends_on("cxx", type="build")
    depends_on("r@4.1:", type=("build", "run"))
    # The package refuses a program of another version.
    depends_on("tenkai@main", when="@main", type=("build", "run"))
    depends_on("tenkai@0.1.0", when="@0.1.0", type=("build", "run"))

    requires("platform=linux", msg="tenkai needs it")

    sanity_check_is_file = [
        join_path("rlib", "R", "library", "tenkai", "DESCRIPTION"),
    ]

    def configure_vars(self):
        return [f"TENKAI_PREFIX={self.spec['tenkai'].prefix}"]

    # As RBuilder does, but of a copy: R compiles beside the sources.
    def install(self, spec, prefix):
        source = join_path(self.stage.source_path, "r")
        install_tree(spec["tenkai"].prefix.share.tenkai.r, source)
        mkdirp(self.module.r_lib_dir)
        self.module.R(
            "--vanilla",
            "CMD",
            "INSTALL",
            f"--configure-vars={' '.join(self.configure_vars())}",
            f"--library={self.module.r_lib_dir}",
            source,
        )
