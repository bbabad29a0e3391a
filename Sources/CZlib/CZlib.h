// SPDX-License-Identifier: MIT
// zlib for Swift: its headers.

#ifndef PORTCULLIS_CZLIB_H
#define PORTCULLIS_CZLIB_H

#include <zlib.h>

#endif
