#!/usr/bin/env bash
# Fails where Sources compare or cut text by characters: names, options and URLs are bytes to the kernel, to
# libav and to every protocol, and Swift's own String functions go by Unicode's equivalence instead ("/" with a
# combining mark is no "/", K equals the Kelvin sign). Sources/Bytewise has what to use.
# Tables of ASCII names may be Set<String> and [String: …]: but for those with K, ; and ` in them, no other text
# equals one. In the files that keep names of files they may not (second half).
# A line that means characters, or whose elements are no text, says why: "// by characters: …", "// no text", "// ASCII".
set -euo pipefail
cd "$(dirname "$0")/.."

patterns=(
    '\.hasPrefix\('                                           # begins(with:), without(prefix:)
    '\.hasSuffix\('                                           # ends(with:), without(suffix:)
    '\.(lower|upper)cased\(\)'                                # lowercasedASCII
    '\.split\(separator: "'                                   # parts(at:)
    '\.split\(whereSeparator:'                                # words(at:)
    '(first|last)Index\(of: "'                                # cut(at:), cutAtLast(_:)
    '\.contains\("'                                           # holds(_:)
    '\$0 (==|!=) "'                                           # a Character, or text of a client's: isSame(as:)
    '"\.contains\(\$0\)'                                      # the same
    '(\$0|\\|first[?!]|last[?!])\.is(Letter|Number|Whitespace|Newline)\b' # isASCIILetter, isASCIIDigit
    '\.components\(separatedBy|\.range\(of:|replacingOccurrences' # Foundation's, which do the same
)
expression=$(IFS='|'; echo "${patterns[*]}")
of_files='/(Directory[^/]*|File[^/]*|MuxerFolder|(WriterOutput|Output(Builder|Ownership))|RecordStore|EndedWriter|Destination(Plan|Guard)|Confinement)\.swift:'
exempt='^Sources/Bytewise/'
found=$(grep -rnE --include='*.swift' "$expression" Sources | grep -vE "$exempt" | grep -vE '// (by characters|no text|ASCII)|^[^:]*:[0-9]+: *///?' || true)
found+=$'\n'$(grep -rnE --include='*.swift' 'Set<String>|\[String: |\b(name|path|file|dst) [!=]= [a-z]' Sources | grep -E "$of_files" | grep -vE "$exempt|// (by characters|no text|ASCII)" || true)
if grep -q . <<<"$found"; then
    echo "text compared or cut by characters (see scripts/check-bytes.sh):"
    echo "$found"
    exit 1
fi
