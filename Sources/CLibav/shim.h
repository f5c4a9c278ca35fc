// libav's macros and variadic functions as static inline functions, and what differs
// between the FFmpeg versions we build on (5.1 to 7.1). Nothing else.
#pragma once
#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
