"""Average precision against pycocotools and hand-made cases; what mistakes cost; calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percept.vision.detect.metrics import (
    LEFT_OUT,
    MADE_UP,
    METRICS,
    graded,
    match,
    overlaps,
    pr_curves,
    reliability,
    score,
    shown,
    voc_ap50,
)
from percept.vision.detect.mistakes import KINDS, mistakes
from percept.vision.detect.photos import Photo, PhotoSet
from percept.vision.detect.published import PUBLISHED, published

FIXTURE = Path(__file__).parents[3] / "data" / "detections" / "coco.json"
NOTHING = (np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.int64))


def photo(name, boxes=(), labels=(), ignore=None, areas=None):
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    ignore = np.zeros(len(boxes), dtype=bool) if ignore is None else np.array(ignore, dtype=bool)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) if areas is None else np.array(areas, dtype=np.float32)
    return Photo(Path(name), 640, 480, boxes, np.array(labels, dtype=np.int64), ignore, areas)


def photo_set(*photos, names=("a", "b", "c")):
    return PhotoSet(names=tuple(names), photos=tuple(photos), layout="coco", problems=())


def found(boxes=(), scores=(), labels=()):
    return (
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        np.array(scores, dtype=np.float32),
        np.array(labels, dtype=np.int64),
    )


def corners(boxes):
    """COCO's x y width height -> x0 y0 x1 y1."""
    boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def read_fixture():
    document = json.loads(FIXTURE.read_text())
    photos, detections = [], []
    for image in document["images"]:
        truth = [one for one in document["annotations"] if one["image_id"] == image["id"]]
        results = [one for one in document["results"] if one["image_id"] == image["id"]]
        photos.append(
            Photo(
                Path(image["file_name"]),
                image["width"],
                image["height"],
                corners([one["bbox"] for one in truth]),
                np.array([one["category_id"] - 1 for one in truth], dtype=np.int64),
                np.array([one["iscrowd"] for one in truth], dtype=bool),
                np.array([one["area"] for one in truth]),
            )
        )
        detections.append(
            (
                corners([one["bbox"] for one in results]),
                np.array([one["score"] for one in results]),
                np.array([one["category_id"] - 1 for one in results], dtype=np.int64),
            )
        )
    names = [one["name"] for one in document["categories"]]
    return photo_set(*photos, names=names), detections, document


def pycocotools_figures(photos, detections):
    """The judge of record, given the same boxes: (six figures, precision (T, R, K, A, M))."""
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    truth, results = coco.COCO(), []
    truth.dataset = {"info": {}, "images": [], "annotations": [], "categories": []}
    truth.dataset["categories"] = [{"id": k, "name": name} for k, name in enumerate(photos.names)]
    for image, (one, (boxes, scores, labels)) in enumerate(zip(photos.photos, detections, strict=True), start=1):
        truth.dataset["images"].append({"id": image, "width": one.width, "height": one.height})
        for box, label, ignore, area in zip(one.boxes, one.labels, one.ignore, one.areas, strict=True):
            x0, y0, x1, y1 = map(float, box)
            entry = {"id": len(truth.dataset["annotations"]) + 1, "image_id": image, "category_id": int(label)}
            entry |= {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": float(area), "iscrowd": int(ignore)}
            truth.dataset["annotations"].append(entry)
        for box, confidence, label in zip(boxes, scores, labels, strict=True):
            x0, y0, x1, y1 = map(float, box)
            entry = {"image_id": image, "category_id": int(label), "bbox": [x0, y0, x1 - x0, y1 - y0]}
            results.append(entry | {"score": float(confidence)})
    truth.createIndex()
    judge = cocoeval.COCOeval(truth, truth.loadRes(results), "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return judge.stats[:6], judge.eval["precision"]


def random_case(seed, photos=6, most=6, classes=3):
    """Photos with crowds and several sizes, detections with few different scores, so that many are equal."""
    rng = np.random.default_rng(seed)
    truth, detections = [], []
    for index in range(photos):
        count = int(rng.integers(0, most + 1))
        boxes = np.zeros((count, 4))
        boxes[:, :2] = rng.uniform(0, 300, (count, 2))
        boxes[:, 2:] = boxes[:, :2] + rng.choice([15, 40, 70, 150], (count, 2))
        labels = rng.integers(0, classes, count)
        truth.append(photo(f"{index:03d}.jpg", boxes, labels, ignore=rng.random(count) < 0.15))
        again = rng.integers(0, count, 2 * count) if count else np.zeros(0, dtype=np.int64)
        moved = boxes[again] + rng.normal(0, 6, (len(again), 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        kinds = np.where(rng.random(len(again)) < 0.8, labels[again], rng.integers(0, classes, len(again)))
        detections.append(found(moved, rng.choice([0.2, 0.4, 0.6, 0.8], len(again)), kinds))
    return photo_set(*truth), detections


def test_the_fixture_scores_what_pycocotools_said_of_it():
    photos, detections, document = read_fixture()
    figures = score(photos, detections).metrics()
    assert list(figures) == ["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"]
    assert figures == pytest.approx(document["expected"], abs=1e-6)


def test_every_class_and_curve_equals_pycocotools():
    photos, detections, _ = read_fixture()
    figures, precision = pycocotools_figures(photos, detections)
    ours = score(photos, detections)
    assert [getattr(ours, name) for name in METRICS] == pytest.approx(list(figures), abs=1e-6)
    for k, one in enumerate(ours.per_class[:4]):
        mean = one.AP
        assert mean == pytest.approx(precision[:, :, k, 0, 2].mean(), abs=1e-6), one.label
        np.testing.assert_allclose(ours.precision[k], precision[0, :, k, 0, 2], atol=1e-6)
    unicorn = ours.per_class[4]
    assert (unicorn.label, unicorn.AP, unicorn.AP50, unicorn.boxes) == ("unicorn", None, None, 0)
    assert np.isnan(ours.precision[4]).all()


@pytest.mark.parametrize("seed", range(6))
def test_random_cases_equal_pycocotools(seed):
    photos, detections = random_case(seed)
    figures, _ = pycocotools_figures(photos, detections)
    ours = score(photos, detections)
    theirs = [None if value == -1 else pytest.approx(value, abs=1e-6) for value in figures]
    assert [getattr(ours, name) for name in METRICS] == theirs


def test_only_the_best_hundred_of_a_class_count():
    far = [[300 + n % 9, 300, 340, 340 + n % 7] for n in range(100)]
    boxes, scores = [*far, [10, 10, 60, 60]], [0.9] * 100 + [0.5]
    photos = photo_set(photo("1.jpg", [[10, 10, 60, 60]], [0]))
    assert score(photos, [found(boxes, scores, [0] * 101)]).AP == 0
    with_it = score(photos, [found(boxes[1:], scores[1:], [0] * 100)]).AP50
    assert with_it == pytest.approx(0.01)
    assert match(photos.photos[0], found(boxes, scores, [0] * 101))[-1] == LEFT_OUT


def test_nothing_is_printed(capfd):
    photos, detections, _ = read_fixture()
    score(photos, detections)
    assert capfd.readouterr().out == ""


def test_sizes_without_objects_have_no_figure():
    photos = photo_set(photo("1.jpg", [[0, 0, 200, 200]], [0]), photo("2.jpg"))
    ours = score(photos, [found([[0, 0, 200, 200]], [0.9], [0]), NOTHING])
    assert (ours.AP, ours.AP_small, ours.AP_medium, ours.AP_large) == (1, None, None, 1)
    assert shown(ours.AP_small) == "-" and shown(ours.AP) == "1.000"


def test_a_set_without_any_object_or_detection_has_no_figures():
    ours = score(photo_set(photo("1.jpg")), [NOTHING])
    assert set(ours.metrics().values()) == {None} and ours.count == 1


def test_objects_that_are_not_found_score_nothing():
    assert score(photo_set(photo("1.jpg", [[0, 0, 9, 9]], [1])), [NOTHING]).AP == 0


def test_the_area_of_the_truth_decides_its_size():
    photos = photo_set(photo("1.jpg", [[0, 0, 100, 100]], [0], areas=[900]))
    ours = score(photos, [found([[0, 0, 100, 100]], [0.9], [0])])
    assert ours.AP_small == 1 and ours.AP_large is None


def test_lists_that_do_not_belong_together_are_refused():
    photos = photo_set(photo("1.jpg"), photo("2.jpg"))
    with pytest.raises(ValueError, match="2 photos, but detections of 1"):
        score(photos, [NOTHING])
    with pytest.raises(ValueError, match="3 names"):
        score(photos, [NOTHING, found([[0, 0, 9, 9]], [0.5], [3])])
    with pytest.raises(ValueError, match="2 scores"):
        score(photos, [NOTHING, found([[0, 0, 9, 9]], [0.5, 0.4], [0, 0])])


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), order=st.permutations(range(6)), batch=st.integers(1, 6))
def test_neither_photo_order_nor_batches_change_a_figure(seed, order, batch):
    photos, detections = random_case(seed)
    shuffled = photo_set(*(photos.photos[i] for i in order))
    one_by_one = (detections[i] for start in range(0, 6, batch) for i in order[start : start + batch])
    first, second = score(photos, detections), score(shuffled, one_by_one)
    assert first.metrics() == second.metrics() and first.per_class == second.per_class
    np.testing.assert_array_equal(first.precision, second.precision)
    again = [detections[i] for i in order]
    assert voc_ap50(photos, detections) == voc_ap50(shuffled, again)
    assert mistakes(photos, detections) == mistakes(shuffled, again)


def test_overlap_is_intersection_over_union_and_over_a_crowd_the_share_inside():
    boxes = np.array([[0, 0, 10, 10]])
    truth = np.array([[5, 0, 15, 10], [5, 0, 105, 100], [20, 20, 30, 30]])
    iou = overlaps(boxes, truth, np.array([False, True, False]))
    np.testing.assert_allclose(iou, [[50 / 150, 0.5, 0]])


def test_voc_eleven_points_by_hand():
    """Three dogs, found in the order right, wrong, right: precision 1 to recall 1/3, then 2/3 to recall 2/3."""
    dogs = [[0, 0, 50, 50], [100, 0, 150, 50], [200, 0, 250, 50]]
    boxes = [dogs[0], [400, 400, 440, 440], dogs[1]]
    photos = photo_set(photo("1.jpg", dogs, [1, 1, 1]))
    detections = [found(boxes, [0.9, 0.8, 0.7], [1, 1, 1])]
    mean, each = voc_ap50(photos, detections)
    assert each == {"a": None, "b": pytest.approx((4 * 1 + 3 * 2 / 3) / 11), "c": None}  # recalls 0-.3, then .4-.6
    assert mean == each["b"]
    assert voc_ap50(photos, detections, eleven_points=False)[0] == pytest.approx(1 / 3 + 2 / 9)


def test_voc_recall_of_three_tenths_reaches_the_point_at_three_tenths():
    dogs = [[60 * n, 0, 60 * n + 50, 50] for n in range(10)]
    mean, _ = voc_ap50(photo_set(photo("1.jpg", dogs, [0] * 10)), [found(dogs[:3], [0.9, 0.8, 0.7], [0, 0, 0])])
    assert mean == pytest.approx(4 / 11)


def test_voc_counts_an_object_once_and_a_difficult_one_never():
    truth = photo("1.jpg", [[0, 0, 50, 50], [100, 0, 150, 50]], [0, 0], ignore=[False, True])
    twice = found([[0, 0, 50, 50], [1, 0, 50, 50]], [0.8, 0.9], [0, 0])
    assert voc_ap50(photo_set(truth), [twice])[0] == 1  # the wrong one comes after full recall
    other = photo("2.jpg", [[0, 0, 50, 50]], [0])
    both = [twice, found([[0, 0, 50, 50]], [0.1], [0])]
    assert voc_ap50(photo_set(truth, other), both)[0] == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    on_difficult = found([[100, 0, 150, 50], [0, 0, 50, 50], [300, 0, 350, 50]], [0.9, 0.5, 0.4], [0, 0, 0])
    both = [on_difficult, found([[0, 0, 50, 50]], [0.1], [0])]  # left out, right, wrong, right
    assert voc_ap50(photo_set(truth, other), both)[0] == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_voc_takes_the_nearest_object_even_if_it_is_taken():
    """COCO would give the second box to the free object beside; VOC calls it a double."""
    truth = photo("1.jpg", [[0, 0, 100, 100], [0, 0, 100, 70]], [0, 0])
    boxes = found([[0, 0, 100, 100], [0, 0, 100, 98]], [0.9, 0.8], [0, 0])
    assert match(truth, boxes).tolist() == [0, 1]
    assert voc_ap50(photo_set(truth), [boxes])[0] == pytest.approx(6 / 11)


def test_detections_in_a_crowd_count_neither_way():
    truth = photo("1.jpg", [[0, 0, 200, 200], [300, 0, 350, 50]], [0, 0], ignore=[True, False])
    boxes = found(
        [[10, 10, 40, 40], [60, 60, 90, 90], [300, 0, 350, 50], [500, 400, 600, 450]], [0.9, 0.8, 0.7, 0.6], [0] * 4
    )
    assert match(truth, boxes).tolist() == [LEFT_OUT, LEFT_OUT, 1, MADE_UP]
    scores, right = graded(photo_set(truth), [boxes])
    np.testing.assert_allclose(scores, [0.7, 0.6], atol=1e-6)
    assert right.tolist() == [True, False]


def test_each_mistake_is_named():
    objects = [[0, 0, 100, 100], [200, 0, 300, 100], [400, 0, 500, 100], [0, 300, 100, 400]]
    truth = photo("1.jpg", objects, [0, 0, 0, 1])
    boxes = found(
        [
            [0, 0, 100, 100],  # right
            [0, 0, 100, 95],  # a second box on it
            [270, 0, 370, 100],  # IoU 0.18 with an "a"
            [400, 0, 500, 100],  # a "b" on an "a"
            [470, 0, 570, 100],  # a "b" beside an "a"
            [600, 400, 640, 440],  # nothing there
            [0, 300, 100, 400],  # not sure enough to be counted
        ],
        [0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.2],
        [0, 0, 0, 1, 1, 2, 1],
    )
    table = {row.kind: row for row in mistakes(photo_set(truth), [boxes], conf=0.3)}
    assert tuple(table) == KINDS
    counts = {kind: row.count for kind, row in table.items()}
    assert counts == dict(zip(KINDS, [1, 1, 1, 1, 1, 1, 1], strict=True))
    assert table["right"].share == pytest.approx(1 / 6) and table["missed"].share == pytest.approx(1 / 4)
    assert table["right"].gain is None
    assert table["missed"].gain == 0  # with every score let in, the last object is found


def test_what_repairs_would_gain_by_hand():
    """Two objects. The surest box is in the wrong place, the next right: AP50 is 51 of 101 points at precision 1/2."""
    truth = photo("1.jpg", [[0, 0, 100, 100], [200, 0, 300, 100]], [0, 0])
    boxes = found([[70, 0, 170, 100], [200, 0, 300, 100]], [0.9, 0.8], [0, 0])
    photos = photo_set(truth)
    base = score(photos, [boxes]).AP50
    assert base == pytest.approx(51 / 101 / 2)
    gains = {row.kind: row.gain for row in mistakes(photos, [boxes])}
    assert gains["wrong place"] == pytest.approx(1 - base)
    assert gains["missed"] == gains["wrong class"] == gains["background"] == 0


def test_a_wrong_class_is_repaired_once_and_a_missed_object_is_not_asked_for():
    truth = photo("1.jpg", [[0, 0, 100, 100], [200, 0, 300, 100], [400, 0, 500, 100]], [0, 0, 0])
    boxes = found([[0, 0, 100, 100], [200, 0, 300, 100], [200, 0, 300, 99]], [0.9, 0.8, 0.7], [0, 1, 1])
    gains = {row.kind: row.gain for row in mistakes(photo_set(truth), [boxes])}
    assert gains["wrong class"] == pytest.approx((67 - 34) / 101)  # two of three objects instead of one
    assert gains["missed"] == pytest.approx((51 - 34) / 101)  # one of two instead of one of three


@pytest.mark.parametrize("seed", range(4))
def test_leaving_out_all_background_boxes_really_gains_what_the_table_says(seed):
    photos, detections = random_case(seed)
    rng = np.random.default_rng(seed)
    with_noise, clean = [], []
    for boxes, scores, labels in detections:
        far = rng.uniform(500, 600, (3, 2))
        noise = np.concatenate([far, far + 30], axis=1)
        kinds = rng.integers(0, 3, 3)
        with_noise.append(found([*boxes, *noise], [*scores, 0.95, 0.5, 0.1], [*labels, *kinds]))
        clean.append((boxes, scores, labels))
    gain = {row.kind: row.gain for row in mistakes(photos, with_noise)}["background"]
    rest = {row.kind: row.gain for row in mistakes(photos, clean)}["background"]
    both = score(photos, clean).AP50 - score(photos, with_noise).AP50 + rest
    assert gain == pytest.approx(both, abs=1e-9) and gain > 0


def test_no_photos_with_objects_give_a_table_without_gains():
    table = mistakes(photo_set(photo("1.jpg")), [found([[0, 0, 9, 9]], [0.9], [0])])
    assert {row.gain for row in table} == {None}
    assert [row.count for row in table if row.kind == "background"] == [1]
    assert table[-1].kind == "missed" and table[-1].share is None


def test_reliability_sets_scores_beside_truth():
    table = reliability(np.array([1.0, 0.95, 0.05, 0.5]), np.array([True, False, False, True]), bins=10)
    assert len(table) == 10 and sum(one.count for one in table) == 4
    assert (table[9].count, table[9].predicted, table[9].right) == (2, pytest.approx(0.975), 0.5)
    assert (table[5].low, table[5].high, table[5].right) == (0.5, 0.6, 1.0)
    assert (table[3].count, table[3].predicted, table[3].right) == (0, None, None)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_curves_are_drawn_whatever_the_number_of_classes(tmp_path, suffix):
    names = [f"class {n}" for n in range(14)]
    boxes = [[20 * n, 0, 20 * n + 15, 15] for n in range(14)]
    photos = photo_set(photo("1.jpg", boxes, range(14)), names=names)
    path = tmp_path / f"curves{suffix}"
    pr_curves(score(photos, [found(boxes, [0.5] * 14, range(14))]), path)
    assert path.stat().st_size > 5000
    assert path.read_bytes()[:4] == b"\x89PNG" if suffix == ".png" else b"</svg>" in path.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_curves_of_nothing_are_an_empty_picture(tmp_path):
    pr_curves(score(photo_set(photo("1.jpg")), [NOTHING]), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()


def test_published_rows_name_their_data_and_source():
    coco = ["person", "car", "traffic light", "hair drier", "toothbrush"]
    assert {row["data"] for row in published(coco)} == {"COCO val2017"}
    assert {row["data"] for row in published(["RBC", "WBC"])} == {"ILSVRC2013 detection"}
    assert all(row["source"] and row["system"] and row["figures"] for row in published(coco))
    assert all(row.source and (0 < row.figure < 1 or row.metric.endswith("error")) for row in PUBLISHED)
