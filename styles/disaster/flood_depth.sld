<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml" xmlns:sld="http://www.opengis.net/sld" version="1.0.0">
  <UserLayer>
    <sld:LayerFeatureConstraints>
      <sld:FeatureTypeConstraint/>
    </sld:LayerFeatureConstraints>
    <sld:UserStyle>
      <sld:Name>depth</sld:Name>
      <sld:FeatureTypeStyle>
        <sld:Rule>
          <sld:RasterSymbolizer>
            <sld:ChannelSelection>
              <sld:GrayChannel>
                <sld:SourceChannelName>1</sld:SourceChannelName>
              </sld:GrayChannel>
            </sld:ChannelSelection>
            <sld:ColorMap type="intervals">
              <sld:ColorMapEntry color="#ffffff" quantity="0" opacity="0" label="Không ngập"/>
              <sld:ColorMapEntry color="#deebf7" quantity="0.49999900000000003" opacity="0.85098" label="Ngập dưới 0,5 m"/>
              <sld:ColorMapEntry color="#9ecae1" quantity="0.99999899999999997" opacity="0.85098" label="0,5-1 m"/>
              <sld:ColorMapEntry color="#6baed6" quantity="1.9999990000000001" opacity="0.85098" label="1-2 m"/>
              <sld:ColorMapEntry color="#4292c6" quantity="2.9999989999999999" opacity="0.85098" label="2-3 m"/>
              <sld:ColorMapEntry color="#2171b5" quantity="3.9999989999999999" opacity="0.85098" label="3-4 m"/>
              <sld:ColorMapEntry color="#084594" quantity="inf" opacity="0.85098" label="Trên 4 m"/>
            </sld:ColorMap>
          </sld:RasterSymbolizer>
        </sld:Rule>
      </sld:FeatureTypeStyle>
    </sld:UserStyle>
  </UserLayer>
</StyledLayerDescriptor>
