/// Whether what clients ask for is judged before libav sees it. Only the program that tests what
/// the sandbox holds back by itself runs with `absent`; it is never installed.
public enum ClientPolicy: Sendable {
    case enforced, absent
}
