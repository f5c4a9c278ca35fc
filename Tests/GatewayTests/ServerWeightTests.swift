import Gateway
import Testing

@Suite struct ServerWeightTests {
    // By hand: 100 times the room that is left, times the calm that is left, over 1 and the load.
    @Test(arguments: [
        (0.0, 0.0, 100.0, 0, 100, 100), (0.0, 0.0, 100.0, 50, 100, 50), (1.0, 0.0, 100.0, 0, 100, 50), (3.0, 0.0, 100.0, 0, 100, 25),
        (0.0, 20.0, 100.0, 0, 100, 80), (0.0, 20.0, 40.0, 0, 100, 50), (1.0, 20.0, 40.0, 50, 100, 12), (1.0, 90.0, 0.0, 0, 100, 50),
    ])
    func aServerWantsLessTheMoreItHas(load: Double, pressure: Double, pressureLimit: Double, live: Int, limit: Int, percent: Int) {
        #expect(
            ServerWeight.percent(loadPerProcessor: load, pressure: pressure, pressureLimit: pressureLimit, live: live, limit: limit)
                == percent)
    }

    /// Weight 0 is what a server that is drained says.
    @Test(arguments: [(0.0, 0.0, 100), (0.0, 50.0, 0), (500.0, 0.0, 0), (0.0, 99.0, 200)])
    func aFullServerIsNotTakenForADrainedOne(load: Double, pressure: Double, live: Int) {
        #expect(ServerWeight.percent(loadPerProcessor: load, pressure: pressure, pressureLimit: 50, live: live, limit: 100) == 1)
    }
}
