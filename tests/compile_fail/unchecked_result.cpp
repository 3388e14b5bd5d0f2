// SPDX-License-Identifier: BSD-2-Clause
// A Result is not its value: whoever wants the value has to look for the error first.
#include <netmap/error.hpp>

int slots(netmap::Result<int> answer) {
#ifdef MUST_NOT_COMPILE
  return answer;
#else
  return answer ? *answer : 0;
#endif
}
