"""The API's objects, made from openapi.yaml by scripts/make_types.py; a test holds them against it."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict


class _DeletionRequired(TypedDict):
    left: list[str]
    """Names of files that are no longer the writer's, the first 100 of them."""
    left_count: int
    """How many there are."""


class Deletion(_DeletionRequired, total=False):
    """Names of files are relative to the output directory, or the token's folder. Each list has the first 100."""

    id: str
    """The id that it had."""
    removed: list[str]
    """Files that were the writer's, and are gone."""
    removed_count: int
    """How many there were."""
    managed_output_bytes: int
    """Of the output that had no `dst`, which is gone."""
    kept: list[str]
    """Files of the writer that stay (`keep_output`)."""
    kept_count: int
    """How many there are."""


State: TypeAlias = Literal["configuring", "open", "finalizing", "closed", "failed"]

MetadataRequest: TypeAlias = dict[str, str | float | bool | None]

ContentType: TypeAlias = str

CacheControl: TypeAlias = str

StorageClass: TypeAlias = str

ObjectMetadata: TypeAlias = dict[str, str | float | bool | None]

SampleRate: TypeAlias = int

ChannelCount: TypeAlias = int

ChannelLayout: TypeAlias = str

SampleFormat: TypeAlias = Literal["u8", "s16", "s32", "s64", "flt", "dbl"]

EncoderName: TypeAlias = str

OptionsRequest: TypeAlias = dict[str, str | float | bool | None]

BitRate: TypeAlias = "int | str"

CompressionLevel: TypeAlias = int

QScale: TypeAlias = float


class AudioCodecConfig(TypedDict, total=False):
    """The API's audio codec config."""

    bit_rate: BitRate
    compression_level: CompressionLevel
    qscale: QScale


FilterDescription: TypeAlias = str

Language: TypeAlias = str

Disposition: TypeAlias = "list[str] | str"

CodecTag: TypeAlias = str

WhenLate: TypeAlias = Literal["wait", "drop"]

AudioLatency: TypeAlias = float

RenditionName: TypeAlias = str


class _AudioRenditionRequestRequired(TypedDict):
    name: RenditionName


class AudioRenditionRequest(_AudioRenditionRequestRequired, total=False):
    """The API's audio rendition request."""

    encoder: EncoderName
    encoder_option: OptionsRequest
    encoder_sample_rate: SampleRate
    encoder_num_channels: ChannelCount
    encoder_format: str
    """As a stream's."""
    codec_config: AudioCodecConfig
    codec_tag: CodecTag


class _AudioStreamRequestRequired(TypedDict):
    type: Literal["audio"]
    sample_rate: SampleRate
    num_channels: ChannelCount


class AudioStreamRequest(_AudioStreamRequestRequired, total=False):
    """The API's audio stream request."""

    channel_layout: ChannelLayout
    format: SampleFormat
    encoder: EncoderName
    encoder_option: OptionsRequest
    encoder_sample_rate: SampleRate
    encoder_num_channels: ChannelCount
    encoder_format: str
    """A sample format that the encoder takes; without it the one that keeps most of the samples."""
    codec_config: AudioCodecConfig
    filter_desc: FilterDescription
    metadata: MetadataRequest
    language: Language
    disposition: Disposition
    codec_tag: CodecTag
    fill: Literal["silence"]
    """What the stream is while it sends nothing: silence. It is filled up once it is more than half a second of time
    behind another stream; where nothing plays the output at once (a file), one that has sent something in the last
    half second is waited for instead. If every stream of a writer of a URL or a device has a `fill`, they also go on
    by the clock, from half a second after their last data on. Streams are to be sent side by side: sound that comes
    for time that was filled is 409 `pts-too-early` with its `pts`, unless `when_late` is `drop`. An hour at most is
    filled at a time. The result has the warning `gap-filled`.
    """
    when_late: WhenLate
    latency: AudioLatency
    renditions: list[AudioRenditionRequest]
    """What the stream is encoded to, where that is more than one thing: a frame is received once and put through
    `filter_desc` once, whatever their number. The stream then has no `encoder`, `encoder_…`, `codec_config`,
    `codec_tag` of its own (422).
    """


FrameRate: TypeAlias = "float | str"

Pixels: TypeAlias = int

TimeBase: TypeAlias = "float | str"

PixelFormat: TypeAlias = str

Layout: TypeAlias = Literal["packed", "nchw"]


class VideoCodecConfig(TypedDict, total=False):
    """The API's video codec config."""

    bit_rate: BitRate
    compression_level: CompressionLevel
    qscale: QScale
    gop_size: int
    """Frames from one key frame to the next; 0: key frames only; -1 as if it were absent."""
    max_b_frames: int
    """B-frames in a row at most; -1 as if it were absent."""


Ratio: TypeAlias = "str | float"

Rotation: TypeAlias = Literal[0, 90, 180, 270]

ColorName: TypeAlias = str

FieldOrder: TypeAlias = Literal["progressive", "tt", "bb", "tb", "bt"]

MasteringDisplay: TypeAlias = str

ContentLightLevel: TypeAlias = str

VideoLatency: TypeAlias = float


class _VideoRenditionRequestRequired(TypedDict):
    name: RenditionName


class VideoRenditionRequest(_VideoRenditionRequestRequired, total=False):
    """The API's video rendition request."""

    encoder: EncoderName
    encoder_option: OptionsRequest
    encoder_format: str
    """As a stream's."""
    encoder_frame_rate: FrameRate
    encoder_width: Pixels
    encoder_height: Pixels
    codec_config: VideoCodecConfig
    hw_accel: str
    """As a stream's."""
    codec_tag: CodecTag


class _VideoStreamRequestRequired(TypedDict):
    type: Literal["video"]
    frame_rate: FrameRate
    width: Pixels
    height: Pixels


class VideoStreamRequest(_VideoStreamRequestRequired, total=False):
    """The API's video stream request."""

    time_base: TimeBase
    format: PixelFormat
    layout: Layout
    encoder: EncoderName
    encoder_option: OptionsRequest
    encoder_format: str
    """A pixel format that the encoder takes; without it the one that loses least, except that H.264 of 8 bits, RGB or
    gray is `yuv420p`, which players take, and so are RGB and gray for HEVC, VP9 and AV1 in mp4, webm and other
    containers of players. Of raw video in avi, mov or nut it is one that is read back from there as what it is, in
    another order of the same numbers at most; where there is none, or one is named that is not, it is 422 with those
    that the container keeps.
    """
    encoder_frame_rate: FrameRate
    encoder_width: Pixels
    encoder_height: Pixels
    codec_config: VideoCodecConfig
    filter_desc: FilterDescription
    hw_accel: str
    """A device to encode on."""
    metadata: MetadataRequest
    language: Language
    disposition: Disposition
    sample_aspect_ratio: Ratio
    rotation: Rotation
    color_range: ColorName
    color_primaries: ColorName
    color_trc: ColorName
    colorspace: ColorName
    field_order: FieldOrder
    mastering_display: MasteringDisplay
    content_light_level: ContentLightLevel
    codec_tag: CodecTag
    fill: Literal["last-frame"]
    """What the stream is while it sends nothing, once it has a picture: that one, repeated at the frame rate. When, is
    as for sound.
    """
    when_late: WhenLate
    latency: VideoLatency
    renditions: list[VideoRenditionRequest]
    """What the stream is encoded to, where that is more than one thing: a frame is received once and put through
    `filter_desc` once, whatever their number. The stream then has no `encoder`, `encoder_…`, `codec_config`,
    `hw_accel`, `codec_tag` of its own (422).
    """


StreamRequest: TypeAlias = "AudioStreamRequest | VideoStreamRequest"


class _OutputRequestRequired(TypedDict):
    name: str
    """Tells it from the writer's others."""


class OutputRequest(_OutputRequestRequired, total=False):
    """The API's output request."""

    dst: str
    """As the writer's."""
    format: str
    """As the writer's."""
    buffer_size: int | str
    """As the writer's."""
    overwrite: bool
    """As the writer's."""
    option: OptionsRequest
    metadata: MetadataRequest
    content_type: ContentType
    cache_control: CacheControl
    storage_class: StorageClass
    object_metadata: ObjectMetadata
    streams: list[str | int]
    """The streams that it has, in its own order, by index: `["0", "1"]`; all by default. Of a stream with `renditions`
    that is all of them; `"0:hd"` is one of them alone. hls and dash that have several of a video make what players
    choose by from them (a master playlist at `dst`, or adaptation sets), unless `var_stream_map` or
    `adaptation_sets` in `option` says otherwise.
    """
    on_failure: Literal["fail", "continue"]
    """`fail`: the writer fails with it; the other outputs are ended with all that was taken until then. `continue`: the
    writer goes on without it, and says so in the result (`output-failed`); it is opened while the writer goes on,
    which waits for nothing of it. A writer of which no output could be written fails.
    """
    when_slow: Literal["wait", "drop"]
    """`wait`: the encoders, and by that the client, wait for it. `drop`: its packets are left out up to the next key
    frame, counted in `packets_dropped`.
    """
    pace: Literal["none", "realtime"]
    """`realtime`: packets leave when their time has come, counted from the first, however fast the data came."""
    reconnect: bool
    """A URL or device that breaks is opened again, with growing pauses, and goes on from a key frame: the next that
    comes by itself where other outputs have the same encoding, else one that is asked of the encoder. Time goes on,
    and what came meanwhile is left out and counted.
    """
    open_timeout: float
    """Seconds that opening it may take, each time: connection, handshakes, header. At most `--open-timeout`, which
    holds without it. One that is the server (`listen`) waits for its client without this limit.
    """


class OpenRequest(TypedDict, total=False):
    """The API's open request."""

    option: OptionsRequest
    """Options of the protocol, the device and the muxer: `listen`, `window_fullscreen`, `movflags`."""


class WriterRequest(TypedDict, total=False):
    """The API's writer request."""

    dst: str
    """Omitted: the server keeps the output, at `/v1/writers/{id}/output`. A relative path: a file under the server's
    output directory; folders are made, and one that is there is no file to write (422, whatever `overwrite` says);
    muxers that write several files (hls, dash, segment, image2) put them beside it or beneath. An option that names
    such a file (`hls_segment_filename`, `segment_list`, `media_seg_name`, …) is a name beside `dst`, whose folders
    are made: `parts/%d.ts` with `show/live.m3u8` is `show/parts/%d.ts`. Those of `hls_segment_filename`,
    `hls_subtitle_path`, `segment_list`, `segment_header_filename` and `header` may also be written so, from the
    output directory. Names that would be the same for every file (no `%d`, no `$Number$`) are 422. Where image2,
    segment and webm_chunk put numbers into `dst`, a percent sign is written `%%`: `50%%/img%03d.png`. Names are
    bytes: those that differ in case or in how their characters are composed are different files; names that begin
    with `.penstock-` are the server's own. What begins with a word and a colon (`a:b.wav`) FFmpeg would take for a
    protocol: 403. A URL: written by FFmpeg's protocols, if the operator allows it (`--allow-output`) and the address
    it leads to; of it only scheme, host and port are shown, as keys may be anywhere else
    (`rtmp://live.example.com/***`). `http` and `https` are uploads, by PUT or POST (`option.method`), whose final
    status decides; `s3://STORE/KEY` is an object in a store that the operator has configured, and the token may use.
    With `format` naming an output device: the device's name, if the operator allows devices (`--allow-devices`).
    """
    format: str
    """The muxer or output device. Without it, it follows from `dst`: from its extension, or from its protocol (rtmp:
    flv; srt, udp, tcp: mpegts; rtsp; rtp, srtp: rtp, or rtp_mpegts and no other).
    """
    buffer_size: int | str
    """Bytes of the output's write buffer; also as text, such as `64Ki`."""
    overwrite: bool
    """Replace an existing file at `dst`, and those that a muxer of several files would write; without it that is 409. A
    pipe or device that is there is written to as it is.
    """
    verify: bool
    """Read the finished output back before the writer is `closed`, and hold it against what was written: its streams,
    packets, length and times. What differs is a failure (`output-damaged`). Of outputs that are one file which
    Penstock keeps; by default on, unless the server was started with `--no-verify`.
    """
    metadata: MetadataRequest
    content_type: ContentType
    cache_control: CacheControl
    storage_class: StorageClass
    object_metadata: ObjectMetadata
    callback_url: str
    """A URL of http or https that is told what becomes of the writer (see `webhooks`), where the operator allows it
    (`--allow-callback`; else 403 `forbidden-callback`). The address that it leads to must be a public one, or be
    named by the operator's pattern. It may hold a user and a query, which are never shown.
    """
    streams: list[StreamRequest]
    outputs: list[OutputRequest]
    """Where packets go, if that is more than one place, or one that is to be opened again when it breaks. Every frame
    is received and encoded once. Then `dst`, `format`, `buffer_size`, `overwrite`, the options of `open` and the
    fields of uploads (`content_type`, …) are each output's own. The first one is what `…/output`, `dst`, `format`
    and `bytes_written` of the writer are about. Each may be anything that a `dst` can be; no two are the same file,
    URL or object, or make files of the same names (422). What holds of the writer's `dst` holds of each: its files
    are there under their names, were read back, and go with the writer where it is deleted. At most `--max-outputs`
    of a writer at a time, files among them.
    """
    open: bool | OpenRequest
    """Open the writer in the same request: `true`, or the body of `open`."""


class _WarningRequired(TypedDict):
    code: str
    """Stable; there may be new ones."""
    detail: str
    """A sentence."""


class Warning(_WarningRequired, total=False):
    """The API's warning."""

    parameter: str
    """The stream's parameter that decides otherwise."""
    stream: int
    """The stream it is about, in a result; left out where it is about the whole output."""
    rendition: str
    """The rendition of the stream that it is about, in a result, where it is about one."""
    output: str
    """The output it is about, in a result, where it is about one of `outputs`."""


class _VerifiedStreamsItemRequired(TypedDict):
    packets: int


class VerifiedStreamsItem(_VerifiedStreamsItemRequired, total=False):
    """The API's verified streams item."""

    duration: float
    """Seconds from the first packet to the end of the last, where the container has times; where it has no durations
    the last packet counts as long as it was written.
    """


class _VerifiedRequired(TypedDict):
    sha256: str
    """Of the file."""


class Verified(_VerifiedRequired, total=False):
    """What was found when the finished output was read back; left out where that was not done: where it is switched
    off, of several files, URLs and devices.
    """

    streams: list[VerifiedStreamsItem | None]
    """By stream, in the output's order; left out of formats that can't be read back. null: the container keeps the
    stream otherwise (pictures as a cover).
    """


class OutputError(TypedDict):
    """The last thing that went wrong, be it made good by now or not."""

    code: str
    detail: str


class _OutputRequired(TypedDict):
    name: str
    state: Literal["configuring", "opening", "open", "reconnecting", "closed", "failed"]
    format: str
    """The muxer."""
    bytes_written: int
    packets: int
    """Given to its container."""
    packets_dropped: int
    attempts: int
    """How often it was opened."""
    lag: float
    """Seconds of media that wait for it."""


class Output(_OutputRequired, total=False):
    """The API's output."""

    dst: str
    streams: list[str]
    on_failure: Literal["fail", "continue"]
    when_slow: Literal["wait", "drop"]
    pace: Literal["none", "realtime"]
    reconnect: bool
    open_timeout: float
    """Seconds, where it has a time of its own."""
    warnings: list[Warning]
    """Of one that came later than the writer's streams began."""
    bytes: int
    """Of a closed writer: the size of the output."""
    files: list[str]
    """Of a closed writer: what a muxer of several files has left, relative to the output directory."""
    output: str
    """Of a closed writer: where the output can be read, if it is one file."""
    verified: Verified
    retry: str
    """Of an output that could not be sent and is kept: POST sends it again."""
    retrying: bool
    """It is being sent again."""
    error: OutputError
    """The last thing that went wrong, be it made good by now or not."""


class RetryRequest(TypedDict, total=False):
    """The API's retry request."""

    dst: str
    """The output's own, whose user and query are not kept and may have changed."""
    option: OptionsRequest
    """Options of the upload: `headers`, `user_agent`, `method`, `content_type`, `timeout`."""


class StreamChangeCodecConfig(TypedDict):
    """The API's stream change codec config."""

    bit_rate: BitRate


class StreamChangeEncoderOption(TypedDict, total=False):
    """Of x264 and NVENC; `bufsize` stays where it is not named. x264's `maxrate` is the `bit_rate`; no encoder's is
    below it.
    """

    maxrate: str | float
    """Bits per second, as the encoder takes it: 1500000, 1.5M."""
    bufsize: str | float
    """Bits."""


class _StreamChangeRequired(TypedDict):
    codec_config: StreamChangeCodecConfig


class StreamChange(_StreamChangeRequired, total=False):
    """The API's stream change."""

    encoder_option: StreamChangeEncoderOption
    """Of x264 and NVENC; `bufsize` stays where it is not named. x264's `maxrate` is the `bit_rate`; no encoder's is
    below it.
    """


class AskedStreams(TypedDict):
    """The API's asked streams."""

    streams: list[int]
    """Their indexes."""


Metadata: TypeAlias = dict[str, str]

Options: TypeAlias = dict[str, str]

Table: TypeAlias = str


_StreamKeyFramesOddRequired = TypedDict("_StreamKeyFramesOddRequired", {"from": str})


class StreamKeyFrames(_StreamKeyFramesOddRequired):
    """Of an open writer whose muxer makes segments by time (hls, dash, segment, smoothstreaming, hds): how often the
    server asks the encoder for a key frame, as a segment begins at one. Not where `gop_size`, or an option such as
    `g` or `keyint`, says where key frames are.
    """

    every: float
    """Seconds."""


UploadState: TypeAlias = Literal["none", "receiving", "interrupted"]


class StreamInterruption(TypedDict):
    """Where and when the last chunk ended before its body did; left out once another one has begun. An upload goes on
    at `offset`.
    """

    at: str
    offset: int
    """Bytes taken by then."""


_RenditionKeyFramesOddRequired = TypedDict("_RenditionKeyFramesOddRequired", {"from": str})


class RenditionKeyFrames(_RenditionKeyFramesOddRequired):
    """As a stream's."""

    every: float
    """Seconds."""


class _RenditionRequired(TypedDict):
    name: RenditionName
    encoder: str
    """The encoder chosen."""
    encoder_format: str
    time_base: str
    """The unit of its packets' times in seconds."""
    frames_encoded: int
    """As a stream's."""
    packets: int
    """That its encoder has made."""
    bytes_encoded: int
    """Of those packets."""
    warnings: list[Warning]
    """As a stream's."""


class Rendition(_RenditionRequired, total=False):
    """The API's rendition."""

    encoder_option: Options
    encoder_sample_rate: SampleRate
    encoder_num_channels: ChannelCount
    encoder_frame_rate: FrameRate
    encoder_width: Pixels
    encoder_height: Pixels
    codec_config: VideoCodecConfig
    hw_accel: str
    codec_tag: CodecTag
    encoder_bit_rate: int
    """As a stream's."""
    frame_size: int
    """As a stream's."""
    key_frames: RenditionKeyFrames
    """As a stream's."""
    frames_dropped: int
    """As a stream's."""
    frames_repeated: int
    """As a stream's."""


class _StreamRequired(TypedDict):
    index: int
    type: Literal["audio", "video"]
    encoder: str
    """The encoder chosen."""
    encoder_format: str
    time_base: str
    """The unit of the source's time in seconds."""
    bytes_per_frame: int
    """Bytes of one frame, or of one sample of all channels."""
    frames: int
    """Frames or samples taken."""
    frames_encoded: int
    """Frames or samples given to the encoder: after filters and changes of the rate, filled gaps included."""
    offset: int
    """Bytes taken."""
    next_pts: float
    """Seconds at which the next frame is expected."""
    warnings: list[Warning]
    """What the encoding changes of what is sent; docs/reference/formats.md has the rules."""


class Stream(_StreamRequired, total=False):
    """The API's stream."""

    sample_rate: SampleRate
    num_channels: ChannelCount
    channel_layout: ChannelLayout
    frame_rate: FrameRate
    width: Pixels
    height: Pixels
    format: str
    """The format of the body."""
    layout: Layout
    encoder_option: Options
    encoder_sample_rate: SampleRate
    encoder_num_channels: ChannelCount
    encoder_frame_rate: FrameRate
    encoder_width: Pixels
    encoder_height: Pixels
    codec_config: VideoCodecConfig
    filter_desc: FilterDescription
    hw_accel: str
    metadata: Metadata
    language: Language
    disposition: Disposition
    sample_aspect_ratio: Ratio
    rotation: Rotation
    color_range: ColorName
    color_primaries: ColorName
    color_trc: ColorName
    colorspace: ColorName
    field_order: FieldOrder
    mastering_display: MasteringDisplay
    content_light_level: ContentLightLevel
    codec_tag: CodecTag
    fill: Literal["silence", "last-frame"]
    """What stands in while the stream sends nothing."""
    when_late: WhenLate
    latency: float
    """Milliseconds that bytes of a chunked body may wait for more: what was asked for, or the default of its kind."""
    encoder_bit_rate: int
    """Bits per second that the encoder has; of encoders that go by one, and left out where they have a quality instead.
    """
    frames_dropped_late: int
    """Of a stream with `fill` or `when_late`: pictures, or samples per channel, that were left out as they came too
    late or faster than they could be encoded.
    """
    filled_seconds: float
    """Of a stream with `fill` or `when_late`: how long `fill` has stood in."""
    frame_size: int
    """Samples in a frame of the audio encoder; 0 if any number goes."""
    key_frames: StreamKeyFrames
    """Of an open writer whose muxer makes segments by time (hls, dash, segment, smoothstreaming, hds): how often the
    server asks the encoder for a key frame, as a segment begins at one. Not where `gop_size`, or an option such as
    `g` or `keyint`, says where key frames are.
    """
    frames_dropped: int
    """Pictures that were taken and that filters or another rate left out."""
    frames_repeated: int
    """Pictures that filters or another rate gave once more."""
    upload: UploadState
    interruption: StreamInterruption
    """Where and when the last chunk ended before its body did; left out once another one has begun. An upload goes on
    at `offset`.
    """
    last_request_at: str
    """When a chunk of the stream last began or ended; left out before the first."""
    renditions: list[Rendition]
    """Of a stream that was given them. What is chosen and counted for one stands here; with the stream stands that of
    the first, and as `frames_encoded` the least.
    """


class _ResultRequired(TypedDict):
    bytes: int
    """The size of the output."""
    duration: float
    """Seconds from the first frame to the end of the last, of all streams, as they were encoded: after filters and
    changes of the rate.
    """
    ended_by: Literal["finalize", "shutdown", "gateway_lost", "idle_timeout", "run_time", "retry"]
    """What finalized the writer: the client, the server's shutdown, its encoder when the gateway was gone, no request
    for too long, the time it may live being over, or a retry of what could not be sent.
    """
    warnings: list[Warning]
    """What was changed of what was sent although it succeeded, in all streams and in the whole output."""


class Result(_ResultRequired, total=False):
    """The API's result."""

    verified: Verified
    output: str
    """Where the output can be read, if it is one file; also of a muxer of several files that has left one."""
    files: list[str]
    """What a muxer of several files has left, relative to the output directory. Lists of several nodes leave it out of
    a writer that would have more than 128 KiB.
    """


class Span(TypedDict):
    """The API's span."""

    start: float
    """Seconds at the first frame of the chunk."""
    end: float
    """Seconds at which the next chunk is expected."""


_ProblemOdd = TypedDict("_ProblemOdd", {"expected-offset": int, "provided-offset": int}, total=False)


class _ProblemRequired(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    """What was wrong, and what to do about it: the line of `log` that says it best is part of it. Long values are cut.
    """


class Problem(_ProblemOdd, _ProblemRequired, total=False):
    """RFC 9457."""

    instance: str
    parameter: str
    """The parameter at fault."""
    pointer: str
    """JSON pointer to the member of the body at fault."""
    did_you_mean: str
    """The parameter, option or value that was probably meant."""
    supported: list[str]
    """The values that would be accepted."""
    paths: list[str]
    """With `not-found` of a path: those that it may have been meant for, or all."""
    libav_error: str
    """The error of FFmpeg's libraries."""
    log: list[str]
    """The last lines that FFmpeg's libraries logged."""
    state: State
    frames: int
    """Frames taken from the chunk all the same."""
    offset: int
    """The stream's offset."""
    pts: Span
    frames_encoded: int
    bytes_written: int
    bytes_per_frame: int
    """What a body must be a multiple of."""
    size: int
    """The output's size, for a range outside it."""
    failure: Problem
    """Why the writer failed."""
    stream: int
    """The stream that is taking a chunk, or is stuck."""
    stage: Literal["filters", "encoder", "process"]
    """What did not come back."""
    limit: int
    """What the server allows."""
    node: str
    """With `wrong-node`: the node that has the writer; at `/readyz`: this one, if it has a name."""
    live_writers: int
    """With `draining`: how many writers have not ended."""
    offsets: list[int]
    """Of each stream, what was taken, where the writer's encoder ended in mid-request."""
    signal: str
    """With `encoder-crashed`: what ended the writer's encoder."""
    exit_code: int
    """The same, where it ended by itself."""
    writer: str
    """With `idempotency-key-reused`: the writer that the key belongs to."""
    position: int
    """With `malformed-json`: the byte of the body at fault."""
    request_id: str
    """The request's X-Request-Id."""
    expected_pts: float
    """The earliest time the stream takes next."""
    frame: int
    """With `invalid-samples`: the sample that was not taken, counted from the chunk's first."""
    channel: int
    """With `invalid-samples`: the channel of that sample."""


class _WriterRequired(TypedDict):
    id: str
    state: State
    created_at: str
    format: str
    """The muxer."""
    metadata: Metadata
    streams: list[Stream]
    bytes_written: int
    """Bytes given to the destination: of all files that a muxer makes, over HTTP too, and of playlists each time they
    are written.
    """


class Writer(_WriterRequired, total=False):
    """The API's writer."""

    name: str
    """Of the token that made it, if that has one; for tokens that see every writer."""
    ended_at: str
    dst: str
    retry: str
    """Of a failed writer without `outputs` whose output could not be sent and is kept: POST sends it again."""
    retrying: bool
    """It is being sent again."""
    callback_url: str
    """What is told of the writer; of it only scheme, host and port are shown."""
    outputs: list[Output]
    """How each is doing, of a writer that was made with `outputs`."""
    encoder_pid: int
    """The writer's process, while it lives."""
    last_request_at: str
    """When a request that adds to the writer or changes it last began, or a chunk ended: looking at it is none."""
    upload: UploadState
    node: str
    """In a list, of a server with `--node`: the node that has the writer."""
    result: Result
    failure: Problem


class _WebhookEventDataRequired(TypedDict):
    id: str
    state: State
    created_at: str
    format: str
    bytes_written: int


class WebhookEventData(_WebhookEventDataRequired, total=False):
    """Of the writer, as it was then."""

    name: str
    """Of the token that made it, if that has one."""
    ended_at: str
    dst: str
    output: Output
    result: Result
    """Without `files`; without `warnings` where they are long."""
    failure: Problem


class WebhookEvent(TypedDict):
    """The body of a webhook."""

    type: Literal["writer.opened", "output.failed", "output.reconnected", "writer.closed", "writer.failed"]
    timestamp: str
    """When it happened."""
    data: WebhookEventData
    """Of the writer, as it was then."""


class _MissingNodeRequired(TypedDict):
    reason: Literal["timeout", "unreachable", "unresolved", "refused", "unusable", "busy"]
    """`unresolved`: its name, or that of the `place`, has no address; `refused`: it responded with another status than
    200; `unusable`: with no list of its writers; `busy`: it was not asked, as this node asks for too much at once.
    """
    detail: str
    """A sentence."""


class MissingNode(_MissingNodeRequired, total=False):
    """The API's missing node."""

    node: str
    """Left out where its address has not told its name yet."""
    place: str
    """Without `node`: where it should be, NAME:PORT of `--peers`."""


class _WriterListRequired(TypedDict):
    writers: list[Writer]


class WriterList(_WriterListRequired, total=False):
    """The API's writer list."""

    next_cursor: str
    """Absent on the last page."""
    node: str
    """With `scope=node`, of a server with `--node`: its name."""
    partial: list[MissingNode]
    """Nodes whose writers the page lacks; a page after it may lack them as well, or not."""


class _ReceiptRequired(TypedDict):
    frames: int
    """Frames or samples taken from this chunk."""
    offset: int
    """Bytes of this stream taken so far."""
    pts: Span
    frames_encoded: int
    bytes_written: int


class Receipt(_ReceiptRequired, total=False):
    """The API's receipt."""

    frames_dropped_late: int
    """Of a stream with `when_late: drop`: those of `frames` that were left out."""


class _WriterPlanRequired(TypedDict):
    dry_run: Literal[True]
    state: State
    created_at: str
    format: str
    """The muxer."""
    metadata: Metadata
    streams: list[Stream]
    bytes_written: int
    """Of the header."""


class WriterPlan(_WriterPlanRequired, total=False):
    """The response to `dry_run`."""

    outputs: list[Output]
    """Of a request with `outputs`."""
    dst: str


class _ChoiceRequired(TypedDict):
    name: str
    value: str


class Choice(_ChoiceRequired, total=False):
    """The API's choice."""

    help: str


class _OptionRequired(TypedDict):
    name: str
    type: str
    """FFmpeg's name for it: int, boolean, flags, pix_fmt."""
    private: bool
    """Its own, rather than one of all encoders, muxers or filters."""


class Option(_OptionRequired, total=False):
    """The API's option."""

    help: str
    default: str
    """As the option would take it."""
    minimum: float
    maximum: float
    allowed: Literal[False]
    """Only where clients may not use it."""
    refusal: str
    """Why it is not allowed."""
    choices: list[Choice]
    """Names that it takes: also those of presets, tunes, profiles and levels that libav leaves to the encoder's own
    library.
    """
    keys: list[str]
    """Of an option that is a list of `key=value` for the encoder's own library: the keys that clients may use."""


class _MuxerRequired(TypedDict):
    name: str
    """As FFmpeg has it; a device of two names is "sdl,sdl2"."""
    description: str
    extensions: list[str]
    seeks_back: bool
    """It changes what it has written, unless options tell it not to: such an output can't be followed live."""
    opens_itself: bool
    """It opens what it writes to itself: several files, or a device."""


class Muxer(_MuxerRequired, total=False):
    """The API's muxer."""

    media_type: str
    default_audio_encoder: str
    default_video_encoder: str
    allowed: Literal[False]
    """Only where clients may not use it."""
    refusal: str
    """Why it is not allowed."""
    options: list[Option]
    """Not in lists."""


class MuxerList(TypedDict):
    """The API's muxer list."""

    muxers: list[Muxer]


class OutputDeviceList(TypedDict):
    """The API's output device list."""

    output_devices: list[Muxer]


class _EncoderRequired(TypedDict):
    name: str
    description: str
    codec: str
    type: Literal["audio", "video"]
    experimental: bool
    hardware: bool
    threading: list[Literal["frame", "slice", "other"]]


class Encoder(_EncoderRequired, total=False):
    """The API's encoder."""

    allowed: Literal[False]
    """Only where clients may not use it."""
    refusal: str
    """Why it is not allowed."""
    capabilities: list[str]
    formats: list[str]
    """Sample or pixel formats. A list that is absent stands for any value."""
    frame_rates: list[str]
    sample_rates: list[int]
    channel_layouts: list[str]
    hardware_devices: list[str]
    options: list[Option]


class EncoderList(TypedDict):
    """The API's encoder list."""

    encoders: list[Encoder]


class _FilterRequired(TypedDict):
    name: str
    description: str
    inputs: list[str]
    outputs: list[str]
    options: list[Option]


class Filter(_FilterRequired, total=False):
    """The API's filter."""

    allowed: Literal[False]
    """Only where clients may not use it."""
    refusal: str
    """Why it is not allowed."""


class FilterList(TypedDict):
    """The API's filter list."""

    filters: list[Filter]


class ProtocolList(TypedDict):
    """The API's protocol list."""

    protocols: list[str]


class VersionFeatures(TypedDict):
    """What depends on FFmpeg's release."""

    hybrid_fragmented: bool
    """Whether mp4 and mov take `movflags=hybrid_fragmented` (FFmpeg 7.1). With `hybrid_fragmented+frag_keyframe` what
    was written can be played when the writer fails; finalized, the file is an ordinary one.
    """
    flv_codecs: list[str]
    """The codecs that FLV and RTMP take here; hevc, av1 and vp9 (enhanced RTMP) with FFmpeg 7."""


class Version(TypedDict):
    """The API's version."""

    penstock: str
    ffmpeg: str
    """The version of FFmpeg that the libraries are of."""
    libraries: dict[str, str]
    """Versions by library."""
    features: VersionFeatures
    """What depends on FFmpeg's release."""


class Status(TypedDict):
    """The API's status."""

    status: str


class Sandbox(TypedDict):
    """What the kernel lets the server put in force around every encoder. With `--require-sandbox` the server runs only
    where `files` and `system_calls` are true.
    """

    landlock_abi: int
    """Landlock's version; 0: the kernel has none."""
    files: bool
    """An encoder reaches its own files and what libav reads of the system."""
    tcp_ports: bool
    """An encoder reaches TCP ports that --allow-output names, and no other."""
    signals: bool
    """An encoder sends no signal to other processes."""
    system_calls: bool
    """An encoder runs no program and makes no system call it has no use for."""
    missing: list[str]
    """What is not in force, by name."""


class _ReadinessRequired(TypedDict):
    status: str
    sandbox: Sandbox


class Readiness(_ReadinessRequired, total=False):
    """The API's readiness."""

    node: str
    """The server's `--node`, where it has one."""
