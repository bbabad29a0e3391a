// SPDX-License-Identifier: MIT

internal import CPlatform

/// The memory that the process has freed and its allocator keeps.
package enum FreeMemory {
    /// Returns the free pages to the system, after work that needed much more memory than what remains.
    ///
    /// Takes milliseconds for each hundred megabytes; call it outside event loops. Does nothing without
    /// glibc.
    package static func giveBack() {
        cplatform_return_free_memory()
    }
}
