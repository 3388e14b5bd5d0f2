# SPDX-License-Identifier: BSD-2-Clause
import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Netmapxx(ConanFile):
    name = "netmapxx"
    description = "Netmap ports in C++23, with the kernel module and without it"
    license = "BSD-2-Clause"
    topics = ("netmap", "networking", "packets", "af-xdp")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "with_pcap": [True, False],
        "with_xdp": [True, False],
        "with_asio": [True, False],
    }
    default_options = {"shared": False, "with_pcap": True, "with_xdp": True, "with_asio": True}

    @property
    def _source(self):
        return Path(self.recipe_folder).parents[1]

    def set_version(self):
        project = load(self, self._source / "CMakeLists.txt")
        self.version = re.search(r"\n  VERSION (\S+)", project)[1]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, self._source, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 23)

    def requirements(self):
        if self.options.with_pcap:
            self.requires("libpcap/[>=1.10 <2]")
        if self.options.with_xdp:
            self.requires("libbpf/[>=1.0 <2]")
        if self.options.with_asio:
            self.requires("asio/[>=1.22 <2]", transitive_headers=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["NETMAPXX_PCAP"] = bool(self.options.with_pcap)
        toolchain.cache_variables["NETMAPXX_XDP"] = bool(self.options.with_xdp)
        for part in ("TOOLS", "TESTS", "BENCH", "EXAMPLES"):
            toolchain.cache_variables[f"NETMAPXX_BUILD_{part}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "netmapxx")
        netmap = self.cpp_info.components["netmap"]
        netmap.libs = ["netmapxx"]
        netmap.set_property("cmake_target_name", "netmap::netmap")
        netmap.set_property("pkg_config_name", "netmapxx")
        if self.options.with_pcap:
            netmap.requires.append("libpcap::libpcap")
        if self.options.with_xdp:
            netmap.requires.append("libbpf::libbpf")
        if self.options.with_asio:
            asio = self.cpp_info.components["asio"]
            asio.set_property("cmake_target_name", "netmap::asio")
            asio.requires = ["netmap", "asio::asio"]
