// Kernel interfaces that Swift's Glibc module does not import: variadics and macros.
#pragma once
