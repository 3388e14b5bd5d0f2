// SPDX-License-Identifier: BSD-2-Clause
//
// Runs a fuzz target once over each file named, where there is no libFuzzer.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** files) {
  for (int i = 1; i != count; ++i) {
    std::ifstream file(files[i], std::ios::binary);
    if (!file) return std::fprintf(stderr, "cannot read '%s'\n", files[i]), 1;
    const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
    std::printf("%s\n", files[i]);
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}
