#pragma once
// The kernel's clock discipline (adjtimex), which the Glibc module map leaves out.
#include <sys/timex.h>
